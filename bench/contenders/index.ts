import type { Contender } from '../contender.ts'
import { atproto } from './atproto.ts'
import { awsJwtVerify } from './aws-jwt-verify.ts'
import { betterAuth } from './better-auth.ts'
import { expressOauth2JwtBearer } from './express-oauth2-jwt-bearer.ts'
import { fastJwt } from './fast-jwt.ts'
import { joseByHand } from './jose-by-hand.ts'
import { oauth4webapi } from './oauth4webapi.ts'
import { sharkguard } from './sharkguard.ts'

export const contenders: readonly Contender[] = [
  sharkguard,
  joseByHand,
  oauth4webapi,
  expressOauth2JwtBearer,
  betterAuth,
  atproto,
  fastJwt,
  awsJwtVerify,
]
