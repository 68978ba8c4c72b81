import { html, raw } from 'hono/html'
import type { HtmlEscapedString } from 'hono/utils/html'
import { STYLESHEET } from './stylesheet.ts'

export type Html = HtmlEscapedString | Promise<HtmlEscapedString>

/** A page before it is sent. */
export interface Page {
  readonly title: string
  readonly body: Html
  /** Where a form of the page may lead in the end: sources for `form-action`. Default: the page has no form. */
  readonly formAction?: string
}

/** Text and fields of a whole page that runs no script, loads nothing, can be framed by nobody and is not kept. */
export async function renderPage({ title, body, formAction }: Page) {
  const nonce = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(16))))
  const text = await html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${title}</title>
<style nonce="${nonce}">${raw(STYLESHEET)}</style>
</head>
<body>
<main>
${body}
</main>
</body>
</html>`
  const policy = [
    "default-src 'none'",
    `style-src 'nonce-${nonce}'`,
    `form-action ${formAction ?? "'none'"}`,
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ]
  return {
    text: String(text),
    headers: {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Security-Policy': policy.join('; '),
      'X-Frame-Options': 'DENY',
      'X-Content-Type-Options': 'nosniff',
      'Referrer-Policy': 'no-referrer',
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cache-Control': 'no-store',
    },
  }
}

/** Enough of a name to know it by; a longer one would push the rest of the page out of sight. */
const MAX_NAME = 64

/** A name that others chose, on one line, without characters that turn or hide what stands beside them. */
export function plain(name: string): string {
  const characters = [...name.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, ' ').trim()]
  return characters.length <= MAX_NAME ? characters.join('') : `${characters.slice(0, MAX_NAME).join('')}…`
}
