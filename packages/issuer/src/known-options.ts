/**
 * An option that is not known would do nothing, and whoever set it believes that it does.
 * @param what the option or call that takes them; none for `createIssuer`'s own
 * @param known an object that has their names as members
 * @throws TypeError naming the option, and those that are known
 */
export function requireKnownOptions(what: string | undefined, options: object, known: object): void {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(`issuer: ${what === undefined ? '' : `${what}: `}expected an object of options`)
  }
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(known, name))
  if (unknown === undefined) return
  const option = what === undefined ? unknown : `${what}.${unknown}`
  throw new TypeError(`issuer: ${option}: unknown option; known are ${Object.keys(known).join(', ')}`)
}
