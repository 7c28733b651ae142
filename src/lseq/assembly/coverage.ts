/**
 * What a state covers (../coverage.ts), for what is WebAssembly.
 */

/** Bytes of a row of the table. */
const ROW: i32 = 16

/** The greatest seq of a stream that is covered; -1 for none. */
export function limitOf(stream: i32, coverage: i32, rows: i32): i64 {
  let low = 0
  let high = rows
  while (low < high) {
    const middle = (low + high) >>> 1
    const there = load<i32>(coverage + middle * ROW)
    if (there === stream) return load<i64>(coverage + middle * ROW + 8)
    if (there < stream) low = middle + 1
    else high = middle
  }
  return -1
}
