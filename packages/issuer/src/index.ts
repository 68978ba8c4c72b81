export { type RunningIssuer, type StartOptions, startIssuer } from './listen.ts'
export * from './web.ts'
