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
  byId(id: string): User | undefined
  byUsername(username: string): User | undefined
  /** Whose name and password these are. Takes as long for a name that nobody has. */
  authenticate(username: string, password: string): Promise<User | undefined>
}

/** Longer than any password; hashing costs by length. */
const MAX_PASSWORD = 1024

/** Users from a list. Their passwords are hashed at once and not kept. */
export function createUsers(list: readonly UserOptions[]): Users {
  const users: (User & { readonly password: Promise<PasswordHash> })[] = list.map(
    ({ id, username, password }) => ({ id: id ?? `usr_${username}`, username, password: hashPassword(password) }),
  )
  const nobody = hashPassword('')
  return {
    byId: (id) => users.find((user) => user.id === id),
    byUsername: (username) => users.find((user) => user.username === username),
    async authenticate(username, password) {
      if (password.length > MAX_PASSWORD) return undefined
      const user = users.find((candidate) => candidate.username === username)
      const isRight = await isPassword(password, await (user?.password ?? nobody))
      return isRight ? user : undefined
    },
  }
}
