/**
 * Sending versions: in batches of whole ones, parents first.
 * @module
 */
import { zipUint } from '../rdx/zip.js'
import type { SyncContext } from './context.js'
import type { Exchange } from './exchange.js'
import { writeFrame } from './frames.js'
import { FRAME } from './messages.js'
import type { Missing } from './missing.js'
import { packBatches, packPages } from './packing.js'

/** Sends versions; tells of each batch how many have gone. */
export async function sendVersions(
  { entries }: Pick<SyncContext, 'entries'>,
  exchange: Pick<Exchange, 'write'>,
  missing: readonly Missing[],
  progress?: (sent: number) => void,
): Promise<void> {
  let sent = 0
  for await (const batch of packBatches(entries, missing)) {
    for await (const page of packPages(entries, batch)) await writeFrame(exchange, FRAME.page, page)
    await writeFrame(exchange, FRAME.batch, zipUint(batch.versions.length))
    sent += batch.versions.length
    progress?.(sent)
  }
}
