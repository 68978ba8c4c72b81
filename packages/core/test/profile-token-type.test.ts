import { expect, it } from 'vitest'
import { requireAccessTokenKind } from '../src/profile.ts'

const judge = (tokenType: unknown) => () =>
  requireAccessTokenKind({ typ: 'JWT' }, { client_id: 'agent', token_type: tokenType } as never, 'default')

it.each(['Bearer', 'bearer', 'DPoP', 'dpop', undefined])(
  'a JWT may say that it is of token_type %j',
  (type) => {
    expect(judge(type)).not.toThrow()
  },
)

/** Whole words: what only begins or ends like one is another kind of token. */
it.each(['refresh_bearer', 'bearer_refresh', 'xdpop', 'dpop2', 'N_A', '', null, 1])(
  'a JWT of token_type %j is no access token',
  (type) => {
    expect(judge(type)).toThrow(expect.objectContaining({ reason: 'token_type_unsupported' }))
  },
)
