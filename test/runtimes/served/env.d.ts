/** Of what workerd has built in, what is used here. */
declare module 'cloudflare:workers' {
  export const env: { readonly ISSUER: string; readonly ADMIN_KEY: string; readonly RESOURCE: string }
}
