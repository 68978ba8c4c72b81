import { html } from 'hono/html'
import { type Page, plain } from './page.ts'

export interface LoginPage {
  readonly clientName: string
  readonly csrf: string
  readonly formAction: string
  /** There is nobody who could sign in. */
  readonly isHopeless: boolean
  /** What was tried before. */
  readonly failed?: { readonly username: string; readonly message: string }
}

/** Asks who is there. The form goes where the page came from: its address holds the request. */
export const loginPage = ({ clientName, csrf, formAction, isHopeless, failed }: LoginPage): Page => ({
  title: 'Sign in',
  formAction,
  body: html`<h1>Sign in</h1>
<p class="soft">to go on to <bdi>${plain(clientName)}</bdi></p>
${isHopeless ? nobody : ''}
${failed === undefined ? '' : html`<p class="error" role="alert" id="failed">${failed.message}</p>`}
<form method="post">
<input type="hidden" name="csrf" value="${csrf}">
<label for="username">Username</label>
<input id="username" name="username" value="${failed?.username ?? ''}" autocomplete="username" autocapitalize="none"
  spellcheck="false" required maxlength="200" ${failed === undefined ? html`autofocus` : html`aria-describedby="failed"`}>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required maxlength="1024"
  ${failed === undefined ? '' : html`autofocus`}>
<div class="buttons"><button class="primary" name="action" value="login">Sign in</button></div>
</form>`,
})

const nobody = html`<p class="note"><strong>Nobody can sign in here</strong>
This issuer was started without users. Give it some, or <code>autoApprove</code> in tests.</p>`
