import { SharedAttempts } from '../shared-attempts.ts'
import { hashPassword, isPassword, type PasswordHash } from './password.ts'

/** Somebody who can log in: for tests and development. */
export interface UserOptions {
  /** `sub` of the tokens. Default: `usr_` and the username. */
  readonly id?: string
  readonly username: string
  readonly password: string
}

/** Somebody who may agree to what a client asks for. */
export interface User {
  readonly id: string
  readonly username: string
}

export interface Users {
  readonly isEmpty: boolean
  byId(id: string): User | undefined
  /** Whose name and password these are. Takes as long for a name that nobody has. */
  authenticate(username: string, password: string): Promise<User | undefined>
}

/** Longer than any password; hashing costs by length. */
const MAX_PASSWORD = 1024

/** One that fits nobody comes last: where there is no such user it is compared, so that it takes as long. */
type Hashes = readonly PasswordHash[]

function createUsers(users: readonly User[], passwords: readonly string[]): Users {
  const attempts = new SharedAttempts<Hashes>(10)
  let hashes: Hashes | undefined
  async function hashed(): Promise<Hashes> {
    hashes ??= await attempts.run(() =>
      Promise.all([...passwords, crypto.randomUUID()].map((password) => hashPassword(password))),
    )
    return hashes
  }
  // At once; where there is no randomness at start-up (Workers), when one is first needed. All of them together: how long
  // a first attempt takes says nothing about its user.
  if (users.length > 0) hashed().catch(() => undefined)
  return {
    isEmpty: users.length === 0,
    byId: (id) => users.find((user) => user.id === id),
    async authenticate(username, password) {
      if (password.length > MAX_PASSWORD) return undefined
      const at = users.findIndex((candidate) => candidate.username === username)
      const hash = (await hashed()).at(at) as PasswordHash
      return (await isPassword(password, hash)) ? users[at] : undefined
    },
  }
}

/** @throws TypeError naming the option and what was expected */
export function resolveUsers(
  users: readonly UserOptions[] = [],
  autoApprove: boolean | string = false,
): { readonly users: Users; readonly approver: User | undefined } {
  const list = requireUsers(users)
  const known = list.map(({ id, username }) => ({ id, username }))
  const passwords = list.map(({ password }) => password)
  return { users: createUsers(known, passwords), approver: findApprover(known, autoApprove) }
}

function requireUsers(users: unknown): readonly Required<UserOptions>[] {
  if (!Array.isArray(users))
    throw new TypeError('issuer: users: expected a list of { id, username, password }')
  const list = users.map((user) => {
    const { username, password, id = `usr_${username}` } = Object(user)
    if (
      [username, password, id].some((text) => typeof text !== 'string' || text === '' || text.length > 200)
    ) {
      throw new TypeError(
        'issuer: users: expected { id, username, password }, texts of at most 200 characters',
      )
    }
    return { id, username, password }
  })
  for (const name of ['id', 'username'] as const) {
    if (new Set(list.map((user) => user[name])).size < list.length) {
      throw new TypeError(`issuer: users: ${name}: expected a different one for each`)
    }
  }
  return list
}

function findApprover(users: readonly User[], autoApprove: unknown): User | undefined {
  if (autoApprove === false) return undefined
  if (autoApprove === true) return users[0] ?? { id: 'usr_test', username: 'test' }
  if (typeof autoApprove !== 'string' || autoApprove === '') {
    throw new TypeError('issuer: autoApprove: expected true, false or a username')
  }
  const user = users.find(({ username }) => username === autoApprove)
  if (user === undefined && users.length > 0) {
    throw new TypeError('issuer: autoApprove: expected the username of one of users')
  }
  return user ?? { id: `usr_${autoApprove}`, username: autoApprove }
}
