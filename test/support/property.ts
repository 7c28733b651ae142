/**
 * Runs fast-check properties under a seed that is printed, so that a failure can be seen again:
 * `WEFT_TEST_SEED=<n> node --import tsx --test ...`. Without it every run draws a new seed.
 * @module
 */
import fc from 'fast-check'

let drawn: number | undefined

function seed(): number {
  if (drawn === undefined) {
    drawn = Number(process.env['WEFT_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31)) | 0
    console.log(`# properties: WEFT_TEST_SEED=${drawn}`)
  }
  return drawn
}

/** Checks that `property` holds for `runs` random inputs. A failure shows the smallest input found that fails. */
export function holds<T>(property: fc.IProperty<T>, runs = 200): void {
  fc.assert(property, { seed: seed(), numRuns: runs, includeErrorInReport: true })
}

/** The same for a property that has to wait for something. */
export async function holdsAsync<T>(property: fc.IAsyncProperty<T>, runs = 200): Promise<void> {
  await fc.assert(property, { seed: seed(), numRuns: runs, includeErrorInReport: true })
}

/** Any bytes, at most `maxLength` of them. */
export function anyBytes(maxLength = 64): fc.Arbitrary<Uint8Array> {
  return fc.uint8Array({ maxLength })
}
