/**
 * Contents read straight from the entries, held to the weave, which is the slow and obvious way, at any vector whatever.
 * @module
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { kindRange, linesPrefix, prefixRange } from '../src/history/keys.js'
import { ContentReader } from '../src/lines/content.js'
import { contentAt, WeaveBuilder } from '../src/lines/weave.js'
import type { EntryBatch } from '../src/lseq/batch.js'
import { EntryStore } from '../src/lseq/entries.js'
import { openLevelStore } from '../src/lseq/level.js'
import { formatLseq, type Lseq, lseqOfKey, readLseq } from '../src/lseq/lseq.js'
import { Streams, Vector } from '../src/lseq/vector.js'
import { storePath } from '../src/repo/layout.js'
import { imported } from './support/imported.js'
import { type Random, random } from './support/random.js'

/** Bytes of `L`, file id. */
const PREFIX = 9

describe('contents', () => {
  for (const name of ['small', 'badmerge', 'oddities']) {
    it(`of every file of ${name} are those of its weave`, async () => {
      const { dir } = await imported(name)
      await using entries = new EntryStore(await openLevelStore(storePath(dir), { create: false }))
      const chance = random(`contents of ${name}`)
      const streams = new Streams()
      const { files, greatest } = await survey(entries, streams)
      for (const file of files) {
        const batches: EntryBatch[] = []
        for await (const batch of entries.scan(prefixRange(linesPrefix(file)))) batches.push(batch)
        const builder = new WeaveBuilder(streams)
        for (const batch of batches) for (const { key, value } of batch) builder.push(key.subarray(PREFIX), value)
        const weave = builder.finish()
        for (let i = 0; i < 12; i++) {
          const vector = anyVector(streams, greatest, chance)
          const reader = new ContentReader(streams, vector)
          // Read twice: a reader serves one file after the other.
          for (let times = 0; times < 2; times++) {
            for (const batch of batches) pushInParts(reader, batch, chance)
            assert.ok(
              Buffer.compare(reader.finish(), contentAt(weave, vector)) === 0,
              formatLseq(file.seq, file.stream),
            )
          }
        }
      }
    })
  }
})

/** The files that have lines, and the greatest seq of any of them; `streams` learns all streams. */
async function survey(entries: EntryStore, streams: Streams): Promise<{ files: Lseq[]; greatest: number }> {
  const files = new Map<string, Lseq>()
  let greatest = 0
  for await (const batch of entries.scan(kindRange('L'))) {
    for (const { key } of batch) {
      const file = readLseq(key, 1)
      files.set(formatLseq(file.seq, file.stream), file)
      const { seq, stream } = lseqOfKey(key)
      streams.slot(stream)
      greatest = Math.max(greatest, seq)
    }
  }
  return { files: [...files.values()], greatest }
}

/** Any prefix of some streams, whether or not a version ever covered just that. */
function anyVector(streams: Streams, greatest: number, chance: Random): Vector {
  let vector = Vector.empty
  for (let slot = 0; slot < streams.size; slot++) {
    if (chance.below(3) > 0) vector = vector.with(slot, chance.below(2) === 0 ? greatest : chance.below(greatest) + 1)
  }
  return vector
}

/** Hands a batch over in a few pieces, as a scan may. */
function pushInParts(reader: ContentReader, batch: EntryBatch, chance: Random): void {
  for (let from = 0; from < batch.count; ) {
    const to = Math.min(batch.count, from + 1 + chance.below(20))
    reader.push(batch, from, to, PREFIX)
    from = to
  }
}
