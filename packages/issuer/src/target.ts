import { invalidTarget } from './errors.ts'
import type { Form } from './http.ts'
import type { Settings } from './options.ts'

/** RFC 8707 §2: an absolute URI without fragment; here also one that somebody can be reached at. */
export function isResource(resource: string): boolean {
  if (resource.includes('#') || !URL.canParse(resource)) return false
  return /^https?:$/.test(new URL(resource).protocol)
}

/**
 * The resources that a request names: `resource` (RFC 8707, any number) or `audience`; none, if it names none.
 * @throws OAuthError `invalid_target` for one that no tokens are issued for
 */
export function targetsOf(form: Form, settings: Settings): readonly string[] {
  const targets = new Set([...(form.get('resource') ?? []), ...(form.get('audience') ?? [])])
  for (const target of targets) {
    if (!isResource(target)) throw invalidTarget('resource must be an absolute http(s) URI without fragment')
    if (settings.resources !== undefined && !settings.resources.includes(target)) {
      throw invalidTarget('No tokens are issued for this resource')
    }
  }
  return [...targets]
}

/** The same; the issuer's `defaultResource` if it names none. @throws OAuthError `invalid_target` without either */
export function requireTargets(form: Form, settings: Settings): readonly string[] {
  const targets = targetsOf(form, settings)
  if (targets.length > 0) return targets
  if (settings.defaultResource !== undefined) return [settings.defaultResource]
  throw invalidTarget('Name the resource that the token is for: resource, an absolute URI (RFC 8707)')
}

/** The same, within what was granted; all of that if it names none. @throws OAuthError `invalid_target` beyond it */
export function narrowTargets(form: Form, settings: Settings, granted: readonly string[]): readonly string[] {
  const targets = targetsOf(form, settings)
  if (!targets.every((target) => granted.includes(target))) {
    throw invalidTarget('The grant is not for this resource')
  }
  return targets.length > 0 ? targets : granted
}
