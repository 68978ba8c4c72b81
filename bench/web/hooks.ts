import type { ResolveHook } from 'node:module'

/** Gives core the runtime that it has where there is no node:crypto. */
export const resolve: ResolveHook = async (specifier, context, nextResolve) => {
  if (specifier !== '#runtime') return nextResolve(specifier, context)
  const core = await nextResolve('@sharkguard/core', { ...context, parentURL: import.meta.url })
  return { url: new URL('./runtime/web.js', core.url).href, shortCircuit: true }
}
