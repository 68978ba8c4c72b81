import { html } from 'hono/html'
import { isLoopbackHost } from '../loopback.ts'
import { type Html, type Page, plain } from './page.ts'

export interface ConsentPage {
  readonly clientName: string
  /**
   * How the client is known: the administrator registered it; it registered itself, under whatever name it liked; or the
   * document at its URL describes it.
   */
  readonly registeredBy: 'admin' | 'itself' | 'document'
  readonly clientId: string
  readonly redirectUri: URL
  readonly resources: readonly string[]
  readonly scopes: readonly string[]
  readonly username: string
  readonly csrf: string
  readonly formAction: string
}

/** Asks a user whether a client may do what it asks for. */
export function consentPage(consent: ConsentPage): Page {
  const { clientName, redirectUri, resources, scopes, username, csrf, formAction } = consent
  const name = html`<bdi>${plain(clientName)}</bdi>`
  return {
    title: 'Allow access?',
    formAction,
    body: html`<h1>Allow ${name} to act for you?</h1>
<p class="soft">It will get access in your name, until you or an administrator take it back.</p>
<h2>To</h2>
<ul>${resources.map((resource) => html`<li><code>${resource}</code></li>`)}</ul>
<h2>It may</h2>
${scopes.length === 0 ? html`<p>Do what needs no particular permission.</p>` : list(scopes)}
<h2>You will be sent to</h2>
<p><strong>${isWeb(redirectUri) ? redirectUri.host : redirectUri.protocol}</strong></p>
${provenance(consent)}
${whoAnswers(redirectUri)}
<form method="post">
<input type="hidden" name="csrf" value="${csrf}">
<div class="buttons">
<button name="action" value="deny">Deny</button>
<button class="primary" name="action" value="approve">Allow</button>
</div>
<p class="who"><span>Signed in as <bdi>${plain(username)}</bdi></span>
<button class="link" name="action" value="sign-out">Not you?</button></p>
</form>`,
  }
}

const list = (scopes: readonly string[]) =>
  html`<ul>${scopes.map((scope) => html`<li><code>${scope}</code></li>`)}</ul>`

/** The name on the page is the client's own choice: what else is known of it, and what is not. */
function provenance({ registeredBy, clientId }: ConsentPage): Html | string {
  switch (registeredBy) {
    case 'admin':
      return ''
    case 'itself':
      return html`<p class="note"><strong>Unverified application</strong>
It registered itself, and nobody has checked that its name is true.</p>`
    case 'document':
      return html`<p class="note"><strong>Known only by its address</strong>
It is published by <code>${new URL(clientId).host}</code>. Nobody has checked that its name is true.</p>`
  }
}

/** In a URI of a private-use scheme the host is whatever the client likes, and says nothing of where it leads. */
const isWeb = ({ protocol }: URL) => /^https?:$/.test(protocol)

/** RFC 8252 §8.6: where it is no server that can prove its name, whoever answers gets the code, and can say it is this client. */
function whoAnswers(redirectUri: URL): Html | string {
  const { protocol } = redirectUri
  if (isWeb(redirectUri)) return isLoopbackHost(redirectUri) ? localNote : ''
  return html`<p class="note"><strong>A program on this device</strong>
Any program here can say that it opens <code>${protocol}</code> and pretend to be this application. Allow it only if you have
just started it yourself.</p>`
}

const localNote = html`<p class="note"><strong>A program on this computer</strong>
Any program here can pretend to be this application. Allow it only if you have just started it yourself.</p>`
