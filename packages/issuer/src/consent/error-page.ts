import { html } from 'hono/html'
import type { Page } from './page.ts'

/**
 * What a person sees when there is nobody to send back to: the client or its redirect URI is not known to be right.
 * @param description static text; never anything of the request
 */
export const errorPage = (error: string, description: string): Page => ({
  title: 'This request cannot be answered',
  body: html`<h1>This request cannot be answered</h1>
<p>${description}.</p>
<p class="soft">Nothing was granted. Go back to the application you came from and start again.</p>
<p class="soft"><code>${error}</code></p>`,
})
