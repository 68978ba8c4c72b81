import { publicFetch } from '#public-fetch'
import { readText } from '../http.ts'
import type { Reach } from './contract.ts'

interface PublicJson {
  readonly text: string
  readonly headers: Headers
}

/**
 * The JSON text behind a URL that is not ours, and the fields it came with; see {@link publicFetch} for what is reached.
 * @param maxSize bytes
 * @throws Error for anything but 200 with a JSON type; the text is for the log, not for the answer
 */
export async function fetchPublicJson(url: URL, maxSize: number, reach: Reach): Promise<PublicJson> {
  const { status, headers, body } = await publicFetch(url, reach)
  const type = headers.get('content-type')?.split(';')[0]?.trim().toLowerCase() ?? ''
  if (status !== 200) throw new Error(`status ${status}`)
  if (!/^application\/(json|[\w.-]+\+json)$/.test(type)) throw new Error('no JSON')
  if (!['identity', null].includes(headers.get('content-encoding'))) throw new Error('encoded')
  return { text: await readText(body, maxSize), headers }
}
