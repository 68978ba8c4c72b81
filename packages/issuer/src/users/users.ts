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

/** Their passwords are hashed at once and not kept. */
function createUsers(list: readonly Required<UserOptions>[]): Users {
  const users: readonly (User & { readonly password: Promise<PasswordHash> })[] = list.map((user) => ({
    ...user,
    password: hashPassword(user.password),
  }))
  let nobody: Promise<PasswordHash> | undefined
  return {
    isEmpty: users.length === 0,
    byId: (id) => users.find((user) => user.id === id),
    async authenticate(username, password) {
      if (password.length > MAX_PASSWORD) return undefined
      const user = users.find((candidate) => candidate.username === username)
      nobody ??= hashPassword(crypto.randomUUID())
      const isRight = await isPassword(password, await (user?.password ?? nobody))
      return isRight ? user : undefined
    },
  }
}

/** @throws TypeError naming the option and what was expected */
export function resolveUsers(
  users: readonly UserOptions[] = [],
  autoApprove: boolean | string = false,
): { readonly users: Users; readonly approver: User | undefined } {
  const list = requireUsers(users)
  return { users: createUsers(list), approver: findApprover(list, autoApprove) }
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
