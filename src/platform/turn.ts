/** Resolves when every promise that was ready has been acted on, however long the chain. */
export const turn = (): Promise<void> => inTurn(() => {})

/** What `work` yields, called in a turn of its own of Node's loop, outside of all promises. Errors: rejects with its. */
export const inTurn = <Result>(work: () => Result): Promise<Result> =>
  new Promise((resolve, reject) => {
    setImmediate(() => {
      try {
        resolve(work())
      } catch (error) {
        reject(error)
      }
    })
  })
