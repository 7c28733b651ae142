/**
 * Renumbers own streams of a repository, in one atomic batch: afterwards, whenever it is killed, all is as it was or all is
 * as it is to be.
 *
 * Files beside the store (the head, the index, what is under way, the log of operations) name versions too. The batch notes
 * what they will have to call by another name, and whoever opens the work tree next does so (worktree/renumbered.ts).
 * @module
 */
import { compareBytes } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import type { Genesis } from '../history/genesis.js'
import { type Renumbering, type RenumberRequest, renumber } from '../history/renumber.js'
import { noteRenumbered, readRenumbered } from '../history/renumbered.js'
import { fingerprint } from '../history/signer.js'
import type { EntryStore } from '../lseq/entries.js'
import { formatStream } from '../lseq/lseq.js'
import type { Operation } from '../lseq/store.js'
import type { RenumberReport } from './results.js'

/**
 * Gives own streams other ids. Nobody else may be reading from the store meanwhile: entries go.
 *
 * @throws {CodedError} `STREAM_CLASH` where that cannot be: nothing has changed then.
 */
export async function renumberStreams(entries: EntryStore, request: RenumberRequest): Promise<RenumberReport> {
  const plan = await renumber(entries, request)
  const { renaming, versions } = plan
  const note = noteRenumbered(await readRenumbered(entries), renaming)
  await rewrite(entries, plan, [note, request.writer.replica.renumbered(renaming.streams)])
  return {
    streams: [...renaming.streams].map(([from, to]) => ({ from: formatStream(from), to: formatStream(to) })),
    versions,
  }
}

/** Takes out and puts in, in one batch. */
async function rewrite(
  entries: EntryStore,
  { drop, add }: Renumbering,
  operations: readonly Operation[],
): Promise<void> {
  await entries.bulkWhole(async (writer) => {
    let at = 0
    for (const { key, value } of add) {
      for (let next = drop[at]; next !== undefined && compareBytes(next, key) <= 0; next = drop[++at]) {
        await writer.drop(next)
      }
      await writer.add(key, value)
    }
    for (const key of drop.slice(at)) await writer.drop(key)
    return operations
  })
}

/**
 * The error for two streams with one id, neither of which can be renumbered any more.
 *
 * @param ours - The genesis that is here.
 * @param theirs - The one that was to come in.
 */
export function streamsClash(ours: Genesis, theirs: Genesis): CodedError {
  const [a, b] = [fingerprint(ours.publicKey), fingerprint(theirs.publicKey)]
  return new CodedError(
    'STREAM_CLASH',
    `Two streams have the number ${formatStream(ours.stream)}, one by the key ${a} and one by ${b}, and others have both.`,
    {
      hint: 'That is chance, one in millions. One of the two has to be left behind: commit what it holds anew in a fresh clone of the other.',
      data: { stream: formatStream(ours.stream), keys: [a, b] },
    },
  )
}
