/**
 * When V8 compiles for speed, and how much garbage it lets gather.
 *
 * On Node 20 it compiles after a few milliseconds in a function, in a thread of its own. Of a command that is over in a
 * quarter of a second that takes a quarter of all CPU, and the core that pages are inflated on; most of what comes out
 * is never run. Nine times as patient, `weft blame` takes 15 % less, and a long command as long as before.
 *
 * Room for new objects begins with a megabyte and doubles when it has been full for a while, up to 16. A short command is
 * over before that, after a dozen collections, each of which waits for threads that have no core. Where it grows eight
 * times as large at once, `weft blame` takes 5 % less CPU; sixteen times gains no more.
 * @see https://nodejs.org/api/v8.html#v8setflagsfromstringflags
 * @module
 */
import { setFlagsFromString } from 'node:v8'

/** What a command runs with: units of work, about a byte of bytecode each, until a function is looked at; and growth. */
const PATIENT = ['--interrupt-budget=600000', '--semi-space-growth-factor=8']
/** V8's own numbers in Node 20. */
const USUAL = ['--interrupt-budget=67584', '--semi-space-growth-factor=2']

/** To be called once, and not before most modules are loaded: what Node keeps compiled for itself is of no use from then on. */
export function optimizeLater(): void {
  if (!process.version.startsWith('v20.')) return
  for (const flag of PATIENT) setFlagsFromString(flag)
  // Code that is kept for the next run says under which flags it was made (bin/code-cache.js).
  process.prependOnceListener('exit', () => {
    for (const flag of USUAL) setFlagsFromString(flag)
  })
}
