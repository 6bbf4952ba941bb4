/** Asks for each part's data at its pace, while the service is reached and the page is seen. */

import type { Answer, Api } from './api.ts'

export interface Poll<Data> {
  readonly path: () => string
  readonly everyMs: number
  /** Called with every answer. */
  readonly apply: (data: Data, serviceMs: number) => void
  /** Why there is no answer, in words; empty when there is one again. */
  readonly problem: (text: string) => void
}

export interface Running {
  /** Asks soon: at once, or when the request that is under way is answered. */
  soon(): void
}

export class Polls {
  readonly #api: Api
  readonly #onAnswer: (answer: Answer<unknown>) => void
  readonly #all: Running[] = []
  #isReached = false

  constructor(api: Api, onAnswer: (answer: Answer<unknown>) => void) {
    this.#api = api
    this.#onAnswer = onAnswer
    document.addEventListener('visibilitychange', () => this.#wake())
  }

  /** While the service is not reached, nothing is asked. */
  setReached(isReached: boolean): void {
    if (isReached === this.#isReached) return
    this.#isReached = isReached
    this.#wake()
  }

  add<Data>(poll: Poll<Data>): Running {
    let timer: ReturnType<typeof setTimeout> | undefined
    let isUnderWay = false
    let isWantedAgain = false
    const ask = async (): Promise<void> => {
      clearTimeout(timer)
      if (isUnderWay) {
        isWantedAgain = true
        return
      }
      if (!this.#isReached || document.hidden) return
      isUnderWay = true
      const answer = await this.#api.get<Data>(poll.path())
      isUnderWay = false
      this.#onAnswer(answer)
      if (answer.kind === 'answered') {
        poll.problem('')
        poll.apply(answer.data, answer.serviceMs)
      } else if (answer.kind === 'refused') poll.problem(answer.message)
      timer = setTimeout(ask, isWantedAgain ? 0 : poll.everyMs)
      isWantedAgain = false
    }
    const running = { soon: () => void ask() }
    this.#all.push(running)
    void ask()
    return running
  }

  #wake(): void {
    for (const running of this.#all) running.soon()
  }
}
