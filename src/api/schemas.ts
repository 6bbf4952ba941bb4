/** Pieces of the answers' schemas. They make the documentation and check the tests' answers, never a live one. */

import { z } from 'zod'

export const time = z
  .string()
  .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$/)
  .meta({ format: 'date-time', example: '2025-06-29T04:07:49.066285+00:00' })
export const timeOrNull = time.nullable()
export const decimal = z
  .string()
  .regex(/^-?\d+(\.\d+)?$/)
  .meta({ format: 'decimal', example: '95234.56' })
export const count = z.int().min(0)
export const seconds = z.number().min(0)
export const percent = z.number().min(0).max(100)
export const level = z.tuple([decimal, decimal]).meta({ example: ['95234.56', '0.123'] })
export const side = z.enum(['buy', 'sell']).describe("The taker's side.")
export const market = z.enum(['spot', 'perpetual', 'future', 'option'])

/** The envelope around `data`. */
export const successSchema = (message: string, data: z.ZodType): z.ZodType =>
  z.strictObject({ status: z.literal('success'), message: z.literal(message), data, timestamp: time })
