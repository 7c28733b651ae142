/**
 * Gets the kernel (lseq/kernel.ts) ready, which small pages alone do not: from then on it decodes them too.
 * @module
 */
import assert from 'node:assert/strict'
import { encodeColumns } from '../../src/lseq/columns.js'
import { decodeAll } from '../../src/lseq/kernel.js'
import { encodeLseq } from '../../src/lseq/lseq.js'

export function startKernel(): void {
  const entries = Array.from({ length: 1000 }, (_, i) => ({ key: encodeLseq(i + 1, 1), value: new Uint8Array(1) }))
  const header = { count: 1000, keyBytes: 8000, firstKey: encodeLseq(1, 1) }
  assert.equal(decodeAll(encodeColumns(entries), header)?.count, 1000, 'there is no WebAssembly here')
}
