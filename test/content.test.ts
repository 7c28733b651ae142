/**
 * Contents and lines read straight from the entries, held to the weave, which is the slow and obvious way, at any vector
 * whatever.
 * @module
 */
import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { toLatin1 } from '../src/base/bytes.js'
import { kindRange, linesPrefix, prefixRange } from '../src/history/keys.js'
import { ContentReader } from '../src/lines/content.js'
import { type Piece, PieceReader } from '../src/lines/pieces.js'
import type { StateWalk } from '../src/lines/walk.js'
import { contentInKernel } from '../src/lines/walk-kernel.js'
import { aliveAt, contentAt, linesOf, type Run, type Weave, WeaveBuilder } from '../src/lines/weave.js'
import { EntryBatch } from '../src/lseq/batch.js'
import { Coverage } from '../src/lseq/coverage.js'
import { EntryStore } from '../src/lseq/entries.js'
import { openLevelStore } from '../src/lseq/level.js'
import { formatLseq, type Lseq, lseqOfKey, readLseq } from '../src/lseq/lseq.js'
import { Streams, Vector } from '../src/lseq/vector.js'
import { storePath } from '../src/repo/layout.js'
import { LineEntries, walkSlices } from '../src/repo/line-entries.js'
import { splitLines } from './support/file-model.js'
import { imported } from './support/imported.js'
import { startKernel } from './support/kernel.js'
import { type Random, random } from './support/random.js'

/** Bytes of `L`, file id. */
const PREFIX = 9

before(startKernel)

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
          const pieces = new PieceReader(streams, vector)
          // Read twice: a reader serves one file after the other.
          for (let times = 0; times < 2; times++) {
            for (const batch of batches) {
              pushInParts(reader, batch, chance)
              pushInParts(pieces, batch, chance)
            }
            assert.ok(
              Buffer.compare(reader.finish(), contentAt(weave, vector)) === 0,
              formatLseq(file.seq, file.stream),
            )
            assert.deepEqual(linesOfPieces(pieces.finish()), linesOfWeave(weave, vector, streams))
            const own = EntryBatch.from(batches.flatMap((batch) => [...batch]))
            if (!pieces.pushAll([{ batch: own, from: 0, to: own.count }], PREFIX, new Coverage(vector, streams))) {
              assert.equal(own.count, 0)
            }
            assert.deepEqual(linesOfPieces(pieces.finish()), linesOfWeave(weave, vector, streams))
          }
        }
      }
    })
  }
})

describe('contents of many files in one pass', () => {
  for (const name of ['small', 'badmerge', 'oddities']) {
    it(`of ${name} are those of the weaves`, async () => {
      const { dir } = await imported(name)
      await using entries = new EntryStore(await openLevelStore(storePath(dir), { create: false }))
      const chance = random(`contents in one pass of ${name}`)
      const streams = new Streams()
      const { files, greatest } = await survey(entries, streams)
      const weaves = new Map<Lseq, Weave>()
      for (const file of files) {
        const builder = new WeaveBuilder(streams)
        for await (const batch of entries.scan(prefixRange(linesPrefix(file)))) {
          for (const { key, value } of batch) builder.push(key.subarray(PREFIX), value)
        }
        weaves.set(file, builder.finish())
      }
      for (let times = 0; times < 12; times++) {
        const vector = anyVector(streams, greatest, chance)
        const chosen = files.filter(() => chance.below(4) > 0)
        const last = chosen.at(-1)
        if (last === undefined) continue
        // A store of its own each time, so that no page is at hand.
        const fresh = new EntryStore(entries.store)
        const covered = new Coverage(vector, streams)
        await using lines = new LineEntries(fresh, last, covered)
        const reader = new ContentReader(streams, vector)
        for (const file of chosen) {
          const slices = await lines.read(file)
          walkSlices(slices, reader)
          const wanted = contentAt(weaves.get(file) ?? assert.fail(), vector)
          assert.ok(Buffer.compare(reader.finish(), wanted) === 0, formatLseq(file.seq, file.stream))
          // A page that was unpacked whole has its values in two places, which the kernel declines.
          const here = contentInKernel(slices, PREFIX, covered)
          assert.ok(here === undefined || Buffer.compare(here, wanted) === 0, formatLseq(file.seq, file.stream))
          const own = EntryBatch.from(slices.flatMap(({ batch, from, to }) => [...batch.slice(from, to)]))
          const again = contentInKernel([{ batch: own, from: 0, to: own.count }], PREFIX, covered)
          const pieces = new PieceReader(streams, vector)
          if (pieces.pushAll([{ batch: own, from: 0, to: own.count }], PREFIX, covered)) {
            const found = Buffer.concat(pieces.finish().map(({ bytes, from, to }) => bytes.subarray(from, to)))
            assert.ok(Buffer.compare(found, wanted) === 0)
          } else assert.equal(own.count, 0)
          if (own.count === 0) assert.equal(again, undefined)
          else assert.ok(again !== undefined && Buffer.compare(again, wanted) === 0, formatLseq(file.seq, file.stream))
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

/** Lines, each before the lseq that it was first put with. */
function linesOfPieces(pieces: readonly Piece[]): string[] {
  return pieces.flatMap(({ bytes, from, to, seq, stream }) =>
    splitLines(toLatin1(bytes, from, to)).map((text, i) => `${formatLseq(seq + i, stream)} ${text}`),
  )
}

function linesOfWeave(weave: Weave, vector: Vector, streams: Streams): string[] {
  const lines: string[] = []
  for (const piece of aliveAt(weave, vector)) {
    const run = weave.runs[piece.run] as Run
    for (let line = piece.from; line < piece.to; line++) {
      const origin = run.origins.find(({ from, to }) => from <= line && line < to)
      const { seq, stream, from } = origin ?? { seq: run.seq, stream: streams.id(run.slot), from: 0 }
      lines.push(`${formatLseq(seq + line - from, stream)} ${toLatin1(linesOf(run, line, line + 1))}`)
    }
  }
  return lines
}

/** Hands a batch over in a few pieces, as a scan may. */
function pushInParts(reader: StateWalk, batch: EntryBatch, chance: Random): void {
  for (let from = 0; from < batch.count; ) {
    const to = Math.min(batch.count, from + 1 + chance.below(20))
    reader.push(batch, from, to, PREFIX)
    from = to
  }
}
