/**
 * Values in a form that compares: bytes as hex, whatever kind of array they are in, and parts that are undefined left out.
 * @module
 */
import { toHex } from '../../src/base/bytes.js'

/** A copy of records and lists with every byte array in it as hex. */
export function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return toHex(value)
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, part]) => part !== undefined)
      .map(([name, part]) => [name, plain(part)]),
  )
}
