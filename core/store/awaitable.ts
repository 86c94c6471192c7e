/** To be awaited; it may be there already. */
export type Awaitable<T> = T | Promise<T>
