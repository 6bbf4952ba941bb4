import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { countOf, Tally } from '../../src/ledger/tally.ts'

describe('a tally', () => {
  test('takes numbers in order, and knows what it has', () => {
    const tally = new Tally()
    expect(tally.offer({ first: 5, last: 5 })).toBe('first')
    expect(tally.offer({ first: 6, last: 8 })).toBe('next')
    expect(tally.offer({ first: 7, last: 7 })).toBe('known')
    expect(tally.offer({ first: 1, last: 1 })).toBe('known')
    expect(tally.missing).toEqual([])
  })

  test('finds what is missing, and takes it late', () => {
    const tally = new Tally(10)
    expect(tally.offer({ first: 14, last: 14 })).toBe('ahead')
    expect(tally.missing).toEqual([{ first: 11, last: 13 }])
    expect(tally.offer({ first: 12, last: 12 })).toBe('late')
    expect(tally.missing).toEqual([
      { first: 11, last: 11 },
      { first: 13, last: 13 },
    ])
    expect(tally.within({ first: 12, last: 20 })).toEqual([{ first: 13, last: 13 }])
  })

  test('an aggregate that is partly delivered is not delivered again; its rest is missing', () => {
    const tally = new Tally(6)
    expect(tally.offer({ first: 5, last: 8 })).toBe('overlap')
    expect(tally.missing).toEqual([{ first: 7, last: 8 }])
    expect(tally.last).toBe(8)
  })

  test('remembers what was delivered last, and last before a jump', () => {
    const tally = new Tally(6)
    tally.offer({ first: 7, last: 7 }, 100)
    tally.offer({ first: 10, last: 10 }, 200)
    tally.offer({ first: 8, last: 8 }, 300)
    tally.offer({ first: 10, last: 10 }, 400)
    tally.offer({ first: 10, last: 12 }, 500)
    expect(tally.delivered(7)).toEqual({ number: 7, madeUs: 100 })
    expect(tally.delivered(10)).toEqual({ number: 10, madeUs: 200 })
    expect([tally.delivered(6), tally.delivered(8), tally.delivered(12)]).toEqual([undefined, undefined, undefined])
    tally.offer({ first: 11, last: 12 })
    expect([tally.delivered(10), tally.delivered(12)]).toEqual([undefined, { number: 12, madeUs: undefined }])
    const restored = new Tally(12, 600)
    expect(restored.delivered(12)).toEqual({ number: 12, madeUs: 600 })
    restored.restore({ first: 12, last: 12 })
    expect(restored.delivered(12)).toBeUndefined()
  })

  test('a stream known to have gone on lacks all up to there', () => {
    const tally = new Tally(6)
    tally.expect(9)
    expect(countOf(tally.missing)).toBe(3)
    tally.drop({ first: 0, last: 8 })
    expect(tally.missing).toEqual([{ first: 9, last: 9 }])
  })

  test('whatever comes in whatever order: each number is delivered once, the rest is missing', () => {
    const spans = fc.array(
      fc.tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 0, max: 3 })).map(([first, more]) => ({
        first,
        last: first + more,
      })),
      { minLength: 1, maxLength: 80 },
    )
    fc.assert(
      fc.property(spans, (offered) => {
        const tally = new Tally(0)
        const delivered = new Set<number>()
        for (const span of offered) {
          const offer = tally.offer(span)
          if (offer === 'overlap' || offer === 'known') continue
          for (let n = span.first; n <= span.last; n++) {
            expect(delivered.has(n)).toBe(false)
            delivered.add(n)
          }
        }
        for (let n = 1; n <= (tally.last ?? 0); n++)
          expect(delivered.has(n)).toBe(tally.within({ first: n, last: n }).length === 0)
      }),
    )
  })
})
