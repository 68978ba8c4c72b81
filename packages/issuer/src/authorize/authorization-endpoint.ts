import type { Context } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { consentPage } from '../consent/consent-page.ts'
import { errorPage } from '../consent/error-page.ts'
import { loginPage } from '../consent/login-page.ts'
import { type Page, renderPage } from '../consent/page.ts'
import { OAuthError } from '../errors.ts'
import { readForm } from '../http.ts'
import type { Settings } from '../options.ts'
import { sha256 } from '../random.ts'
import type { Revocation } from '../revocation/revocation.ts'
import { createLogin } from '../users/login.ts'
import type { User } from '../users/users.ts'
import { createConsents } from './consents.ts'
import { createGrants } from './grant.ts'
import { createRecipients, type Recipient } from './recipient.ts'
import { type AuthorizationRequest, parseRequest } from './request.ts'
import { createSessions, type Session } from './sessions.ts'

/**
 * The authorization endpoint (RFC 6749 §3.1): GET with a request asks the user, POST to the same URL, with a form of ours,
 * decides. The URL is all there is to a request: nothing is kept until it is granted.
 */
export function createAuthorizationEndpoint(settings: Settings, revocation: Revocation) {
  const { issuer, users, approver, log } = settings
  const findRecipient = createRecipients(settings)
  const sessions = createSessions(settings)
  const consents = createConsents(settings, revocation)
  const grant = createGrants(settings, revocation, consents)
  const logIn = createLogin(settings)
  if (approver !== undefined)
    log({ level: 'warn', message: 'everything is approved unasked', user: approver.id })

  return async (c: Context): Promise<Response> => {
    try {
      const parameters = new URL(c.req.url).searchParams
      return await answer(c, parameters, await findRecipient(parameters))
    } catch (error) {
      if (!(error instanceof OAuthError)) throw error
      return show(c, errorPage(error.error, error.message), error.status, error.headers)
    }
  }

  async function answer(c: Context, parameters: URLSearchParams, recipient: Recipient): Promise<Response> {
    try {
      const request = await parseRequest(parameters, recipient, settings)
      return await (c.req.method === 'POST' ? decide(c, request) : ask(c, request))
    } catch (error) {
      if (!(error instanceof OAuthError) || error instanceof ForeignForm) throw error
      return sendBack(c, recipient, { error: error.error, error_description: error.message })
    }
  }

  /** Asks the user: first who it is, then whether it may be; neither where that is known. */
  async function ask(c: Context, request: AuthorizationRequest): Promise<Response> {
    if (approver !== undefined) return approve(c, request, approver)
    const session = await sessions.read(c)
    const user = userOf(session)
    const isSilent = request.prompt.has('none')
    if (session === undefined || user === undefined) {
      if (isSilent) throw new OAuthError('login_required', 'The user has to log in')
      return showLogin(c, request, session ?? (await sessions.start(c)))
    }
    if (await consents.covers(user.id, request)) return approve(c, request, user)
    if (isSilent) throw new OAuthError('consent_required', 'The user has to be asked')
    return showConsent(c, request, session, user)
  }

  /** Does what a button of one of our pages says. */
  async function decide(c: Context, request: AuthorizationRequest): Promise<Response> {
    const form = await readForm(c)
    const session = await sessions.read(c)
    const token = form.get('csrf')?.[0] ?? ''
    if (session === undefined || !(await sessions.isPageToken(token, session, await requestOf(c)))) {
      throw new ForeignForm()
    }
    const user = userOf(session)
    const action = form.get('action')?.[0]
    if (action === 'login') return tryLogin(c, request, session, form)
    if (action === 'deny') throw new OAuthError('access_denied', 'The user said no')
    if (action === 'approve' && user !== undefined) return approve(c, request, user)
    if (action === 'sign-out') await sessions.start(c)
    return again(c)
  }

  async function tryLogin(
    c: Context,
    request: AuthorizationRequest,
    session: Session,
    form: ReadonlyMap<string, readonly string[]>,
  ): Promise<Response> {
    const username = form.get('username')?.[0] ?? ''
    const outcome = await logIn(c, username, form.get('password')?.[0] ?? '')
    if (outcome.user !== undefined) {
      await sessions.start(c, outcome.user.id)
      return again(c)
    }
    const { message, retryAfter } = outcome
    const failed = { username: username.slice(0, 200), message }
    if (retryAfter === undefined) return showLogin(c, request, session, failed, 401)
    c.header('Retry-After', String(retryAfter))
    return showLogin(c, request, session, failed, 429)
  }

  function userOf(session: Session | undefined): User | undefined {
    return session?.userId === undefined ? undefined : users.byId(session.userId)
  }

  async function showLogin(
    c: Context,
    request: AuthorizationRequest,
    session: Session,
    failed?: { readonly username: string; readonly message: string },
    status: ContentfulStatusCode = 200,
  ): Promise<Response> {
    const csrf = await sessions.pageToken(session, await requestOf(c))
    const page = {
      clientName: request.client.name,
      csrf,
      formAction: formAction(request),
      isHopeless: users.isEmpty,
    }
    return show(c, loginPage(failed === undefined ? page : { ...page, failed }), status)
  }

  async function showConsent(c: Context, request: AuthorizationRequest, session: Session, user: User) {
    const { client, redirectUri, resources, scopes } = request
    const page = consentPage({
      clientName: client.name,
      clientId: client.id,
      registeredBy: client.registeredBy,
      redirectUri: new URL(redirectUri),
      resources,
      scopes,
      username: user.username,
      csrf: await sessions.pageToken(session, await requestOf(c)),
      formAction: formAction(request),
    })
    return show(c, page)
  }

  async function approve(c: Context, request: AuthorizationRequest, user: User): Promise<Response> {
    return sendBack(c, request, { code: await grant(request, user) })
  }

  /** RFC 9207: every answer says whose it is. */
  function sendBack(c: Context, { redirectUri, state }: Recipient, parameters: Record<string, string>) {
    const answer = new URLSearchParams(parameters)
    if (state !== undefined) answer.set('state', state)
    answer.set('iss', issuer)
    return redirect(c, `${redirectUri}${redirectUri.includes('?') ? '&' : '?'}${answer}`)
  }
}

/** For the user to see, though the client is known: what was posted is not from a page of ours, or not any more. */
class ForeignForm extends OAuthError {
  constructor() {
    super('page_expired', 'This page has expired, or it did not come from here', { status: 403 })
  }
}

/** The request, as the token of a page names it. */
const requestOf = (c: Context) => sha256(new URL(c.req.url).search)

/** The same request once more, as GET. Relative: a proxy may have moved us. */
const again = (c: Context) => redirect(c, new URL(c.req.url).search)

/** 303: a browser that posted a password does not post it on (RFC 9700 §4.12). */
const redirect = (c: Context, location: string) =>
  c.body(null, 303, { Location: location, 'Cache-Control': 'no-store', 'Referrer-Policy': 'no-referrer' })

/**
 * Chromium holds every redirect after a form to `form-action`, the client's own ones included, and its grammar has no
 * IPv6 addresses: the scheme of the redirect URI is as narrow as works.
 */
const formAction = ({ redirectUri }: Recipient) => `'self' ${new URL(redirectUri).protocol}`

async function show(
  c: Context,
  page: Page,
  status: ContentfulStatusCode = 200,
  fields: Readonly<Record<string, string>> = {},
): Promise<Response> {
  const { text, headers } = await renderPage(page)
  return c.body(text, status, { ...headers, ...fields })
}
