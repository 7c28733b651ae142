/**
 * When V8 compiles for speed.
 *
 * On Node 20 it does so after a few milliseconds in a function, in a thread of its own. Of a command that is over in a
 * quarter of a second that takes a quarter of all CPU, and the core that pages are inflated on; most of what comes out
 * is never run. Nine times as patient, `weft blame` takes 15 % less, and a long command as long as before.
 * @see https://nodejs.org/api/v8.html#v8setflagsfromstringflags
 * @module
 */
import { setFlagsFromString } from 'node:v8'

/** Units of work, about a byte of bytecode each, until a function is looked at; and V8's own number in Node 20. */
const PATIENT = 600_000
const USUAL = 67_584

/** To be called once, and not before most modules are loaded: what Node keeps compiled for itself is of no use from then on. */
export function optimizeLater(): void {
  if (!process.version.startsWith('v20.')) return
  setFlagsFromString(`--interrupt-budget=${PATIENT}`)
  // Code that is kept for the next run says under which flags it was made (bin/code-cache.js).
  process.prependOnceListener('exit', () => setFlagsFromString(`--interrupt-budget=${USUAL}`))
}
