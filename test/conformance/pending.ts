/**
 * Requirements whose tests are still to be written, or to cite them. Once a test cites one, it has to leave this list, which may
 * only get shorter. Empty: everything that binds the guard or the issuer is shown by a test.
 */
export const PENDING: readonly string[] = []
