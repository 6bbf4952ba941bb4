/** Resolves when every promise that was ready has been acted on, however long the chain. */
export const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))
