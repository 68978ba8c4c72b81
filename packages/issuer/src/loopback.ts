/** Whether only this machine answers at a URL, by its host's name. */
export const isLoopbackHost = ({ hostname }: URL) => ['localhost', '127.0.0.1', '[::1]'].includes(hostname)
