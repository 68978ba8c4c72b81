const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** Other spellings of base64url text that lenient decoders take for the same bytes. */
export function base64urlAliases(text: string): string[] {
  const aliases = [`${text}=`, `${text}==`, `${text} `, ` ${text}`, `${text}\n`, `${text}\t`]
  if (text.length > 1)
    aliases.push(`${text.slice(0, 1)} ${text.slice(1)}`, `${text.slice(0, 1)}\n${text.slice(1)}`)
  if (/[-_]/.test(text)) aliases.push(text.replaceAll('-', '+').replaceAll('_', '/'))
  const unused = { 2: 4, 3: 2 }[(text.length % 4) as 2] ?? 0
  const last = ALPHABET.indexOf(text.at(-1) as string)
  for (let bits = 1; bits < 2 ** unused; bits++) aliases.push(text.slice(0, -1) + ALPHABET[last ^ bits])
  return aliases
}
