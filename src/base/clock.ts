/**
 * Time that only ever goes on, to measure how long something takes.
 *
 * `performance.now()` tells the same, but Node loads eleven modules for the first call of it: half a millisecond, and 1.8
 * once the program has set flags of V8 (`cli/optimizer.ts`), as they are compiled anew then.
 * @module
 */

/** Milliseconds since some moment. */
export function milliseconds(): number {
  const [seconds, nanoseconds] = process.hrtime()
  return seconds * 1e3 + nanoseconds / 1e6
}
