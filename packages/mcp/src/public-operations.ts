import { ConfigurationError } from '@sharkguard/core'
import { matchesName, messagesOf, type Operation, operationsOf } from './operations.ts'

/** What anybody has to do to find and use what is public. Anything not named here needs credentials. */
const OPEN_METHODS: readonly unknown[] = [
  'initialize',
  'ping',
  'server/discover',
  'tools/list',
  'prompts/list',
  'resources/list',
  'resources/templates/list',
]

/** Decides what anonymous callers may do: use what `patterns` name, and, where they name anything, connect and list. */
export function publicOperations(patterns: readonly string[]) {
  if (!Array.isArray(patterns) || !patterns.every((name) => typeof name === 'string')) {
    throw new ConfigurationError('public', 'expected a list of names')
  }

  function isPublic({ names }: Operation): boolean {
    const isNamed = (name: string) => patterns.some((pattern) => matchesName(pattern, name))
    return names?.every(isNamed) ?? false
  }

  function isOpen(body: unknown): boolean {
    const messages = messagesOf(body)
    return (
      messages.length > 0 &&
      messages.every((message) => {
        const { method } = message
        if (OPEN_METHODS.includes(method)) return true
        if (typeof method === 'string' && method.startsWith('notifications/')) return true
        const operations = operationsOf(message)
        return operations.length > 0 && operations.every(isPublic)
      })
    )
  }

  return { isPublic, isOpen, isEmpty: patterns.length === 0 }
}
