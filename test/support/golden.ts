/**
 * Golden records: the bytes of one example of every kind of record, in `fixtures/records-v1.json`, in hex.
 *
 * `WEFT_GOLDEN=write node --import tsx --test --test-concurrency=1 test/*.test.ts` makes the file anew: a change of format.
 * @module
 */
import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fromHex, toHex } from '../../src/base/bytes.js'
import { ROOT } from './weft.js'

const PATH = join(ROOT, 'fixtures', 'records-v1.json')

function read(): Record<string, string> {
  return existsSync(PATH) ? JSON.parse(readFileSync(PATH, 'utf8')) : {}
}

/** The golden bytes under a name, which `encoded` must be; with `WEFT_GOLDEN=write` they are from then on. */
export function golden(name: string, encoded: Uint8Array): Uint8Array {
  if (process.env['WEFT_GOLDEN'] === 'write') {
    const all = Object.entries({ ...read(), [name]: toHex(encoded) }).sort(([a], [b]) => (a < b ? -1 : 1))
    writeFileSync(PATH, `${JSON.stringify(Object.fromEntries(all), undefined, 2)}\n`)
  }
  const hex = read()[name]
  assert.ok(hex !== undefined, `${PATH} has no ${name}`)
  assert.equal(toHex(encoded), hex, `the format of a ${name} has changed`)
  return fromHex(hex) as Uint8Array
}
