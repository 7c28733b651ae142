import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { compareBytes, fromLatin1, toLatin1 } from '../src/base/bytes.js'
import { CodedError } from '../src/base/error.js'
import { FILE_PREFIX_BYTES, linesPrefix } from '../src/history/keys.js'
import { ContentReader } from '../src/lines/content.js'
import { Replay } from '../src/lines/replay.js'
import { aliveAt, contentAt, lineCount, linesOf, type Run, type Weave, WeaveBuilder } from '../src/lines/weave.js'
import { Weaver } from '../src/lines/weaver.js'
import { type Entry, EntryBatch } from '../src/lseq/batch.js'
import { SEQ_LIMIT } from '../src/lseq/lseq.js'
import { Streams, Vector } from '../src/lseq/vector.js'
import { FILE, FileHistory, splitLines } from './support/file-model.js'
import { anyBytes, holds } from './support/property.js'

/** One change of some lines: where, how many go, what comes. */
const splice = fc.tuple(fc.nat(), fc.nat(4), fc.array(fc.nat(), { maxLength: 4 }))

/** One version: which versions it grows on, from what, and what it changes. */
const step = fc.record({
  parents: fc.array(fc.nat(), { minLength: 1, maxLength: 3 }),
  /** Whether it begins with one parent's content, throwing away what the others did, or with the join. */
  side: fc.oneof({ weight: 3, arbitrary: fc.constant(-1) }, { weight: 1, arbitrary: fc.nat(2) }),
  changes: fc.array(splice, { maxLength: 3 }),
  rooted: fc.boolean(),
})
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

const history = fc.array(step, { minLength: 1, maxLength: 18, size: 'max' })

/** Lines that occur often, with awkward ones: empty, long, without a newline. */
const COMMON = ['\n', '}\n', '  }\n', 'a\n', 'b\n', 'b', '\r\n', '\0\xff\n', `${'long '.repeat(3500)}\n`]

const commonLine = (n: number): string => COMMON[n % COMMON.length] as string

/** Makes the versions that `steps` describe; `line` says what the n-th new line is. */
function make(steps: readonly Step[], line: (n: number) => string, reloadAt = -1): FileHistory {
  const file = new FileHistory()
  for (const [i, { parents, side, changes, rooted }] of steps.entries()) {
    if (i === reloadAt) file.reload()
    const count = file.versions.length
    const chosen = count === 0 || (rooted && parents.length === 3) ? [] : parents.map((n) => 1 + (n % count))
    // Mostly near the newest, so that histories get deep and not only wide.
    const near = chosen.map((n, k) => (k === 0 && !rooted ? count : n))
    const distinct = [...new Set(near)]
    const from = side >= 0 && distinct.length > 1 ? [distinct[side % distinct.length] as number] : distinct
    const lines = file.linesOf(file.past(from))
    for (const [at, gone, news] of changes) lines.splice(at % (lines.length + 1), gone, ...news.map(line))
    file.add(distinct, lines.join(''))
  }
  return file
}

/** Sets of versions worth asking about: each by itself, and some joined that nobody joined. */
function questions(file: FileHistory): number[][] {
  const all = file.versions.map(({ number }) => number)
  const pairs = all.map((number) => [number, 1 + ((number * 7) % all.length)])
  return [[], all, ...all.map((number) => [number]), ...pairs]
}

function batchOf(entries: readonly Entry[]): EntryBatch {
  return EntryBatch.from(entries)
}

/** The file at a vector, straight from its entries, which come in two batches. */
function contentFrom(entries: readonly Entry[], streams: Streams, vector: Vector): Uint8Array {
  const reader = new ContentReader(streams, vector)
  const middle = entries.length >> 1
  for (const part of [entries.slice(0, middle), entries.slice(middle)]) {
    reader.push(batchOf(part), 0, part.length, FILE_PREFIX_BYTES)
  }
  return reader.finish()
}

/** All ways to a content must give the oracle's. */
function checkStates(file: FileHistory): void {
  const weave = file.weave()
  const entries = file.sorted()
  const replay = new Replay(weave, (slot, seq) => file.holding(slot, seq))
  const copying = new Replay(weave, (slot, seq) => file.holding(slot, seq), true)
  let before = ''
  let aliveBefore = aliveLines(weave, Vector.empty)
  const weaver = new Weaver()
  weaver.load(
    weave,
    (slot, seq) => file.holding(slot, seq),
    (slot) => file.streams.id(slot),
  )
  const asked = questions(file)
  for (const [i, numbers] of [...asked, ...asked.toReversed()].entries()) {
    const past = file.past(numbers)
    const vector = file.vector(numbers)
    const expected = file.contentOf(past)
    const said = `at ${numbers.join(' + ')}`
    assert.equal(toLatin1(contentAt(weave, vector)), expected, said)
    assert.equal(replayed(replay, past), expected, `replay ${said}`)
    const alive = aliveLines(weave, vector)
    if (copying.goTo((version) => past.has(version)) !== undefined) {
      const stayed = [...alive].reduce((sum, [line, size]) => (aliveBefore.has(line) ? sum + size : sum), 0)
      checkCopies(copying.copies, before, expected, stayed, said)
    }
    before = expected
    aliveBefore = alive
    if (i < asked.length) {
      assert.equal(toLatin1(contentFrom(entries, file.streams, vector)), expected, `reader ${said}`)
      assert.equal(toLatin1(weaver.stateAt((version) => past.has(version)).bytes), expected, `weaver ${said}`)
      checkPieces(weave, vector, expected)
    }
  }
  for (const { number, content } of file.versions) {
    assert.deepEqual(file.linesOf(file.past([number])), splitLines(content), `version ${number} is what was woven`)
  }
  checkOrigins(file, weave)
}

/** The lines of a state with their lengths. */
function aliveLines(weave: Weave, vector: Vector): Map<string, number> {
  const lines = new Map<string, number>()
  for (const { run, from, to } of aliveAt(weave, vector)) {
    for (let line = from; line < to; line++) {
      lines.set(`${run}:${line}`, linesOf(weave.runs[run] as Run, line, line + 1).length)
    }
  }
  return lines
}

/** What a content is said to have from the one before must be there, and must be all lines that stayed. */
function checkCopies(copies: readonly number[], before: string, content: string, stayed: number, said: string): void {
  let end = 0
  let copied = 0
  for (let i = 0; i < copies.length; i += 3) {
    const [from = 0, to = 0, length = 0] = copies.slice(i, i + 3)
    assert.ok(length > 0 && to >= end, `copies ascend ${said}`)
    assert.equal(content.slice(to, to + length), before.slice(from, from + length), `copies ${said}`)
    end = to + length
    copied += length
  }
  assert.equal(copied, stayed, `copied bytes ${said}`)
}

/** A line's origin is a line of the same text, put by a version before, that has no origin itself. */
function checkOrigins(file: FileHistory, weave: Weave): void {
  for (const run of weave.runs) {
    for (let line = 0; line < lineCount(run); line++) {
      const at = firstPut(file, run, line)
      if (at.seq === run.seq + line && at.slot === run.slot) continue
      const first = weave.runs.find(
        (r) => r.slot === at.slot && r.seq <= at.seq && at.seq < r.seq + lineCount(r),
      ) as Run
      const index = at.seq - first.seq
      assert.equal(toLatin1(linesOf(first, index, index + 1)), toLatin1(linesOf(run, line, line + 1)))
      assert.deepEqual(firstPut(file, first, index), at, 'an origin is a line without an origin')
      const by = file.version(file.holding(run.slot, run.seq))
      assert.ok(by.past.has(file.holding(first.slot, first.seq)), 'an origin is known to whoever names it')
    }
  }
}

/** Where a line was put first: the lseq that blame goes by. */
function firstPut({ streams }: FileHistory, run: Run, line: number): { slot: number; seq: number } {
  const origin = run.origins.find(({ from, to }) => from <= line && line < to)
  if (origin === undefined) return { slot: run.slot, seq: run.seq + line }
  return { slot: streams.slot(origin.stream), seq: origin.seq + line - origin.from }
}

function replayed(replay: Replay, past: ReadonlySet<number>): string {
  const before = toLatin1(replay.content)
  const same = replay.goTo((version) => past.has(version))
  const now = toLatin1(replay.content)
  if (same === undefined) assert.equal(now, before, 'replay says that nothing has changed')
  else assert.equal(now.slice(0, same), before.slice(0, same), 'replay says how far nothing has changed')
  return now
}

/** Pieces give whole lines, each once. */
function checkPieces(weave: Weave, vector: Vector, expected: string): void {
  const lines: string[] = []
  const seen = new Set<string>()
  for (const { run, from, to } of aliveAt(weave, vector)) {
    assert.ok(from < to, 'a piece has lines')
    for (let line = from; line < to; line++) {
      assert.ok(!seen.has(`${run}#${line}`), 'a line is told once')
      seen.add(`${run}#${line}`)
      lines.push(toLatin1(linesOf(weave.runs[run] as Run, line, line + 1)))
    }
  }
  assert.equal(lines.join(''), expected)
}

describe('weave: a file through branches and merges', () => {
  it('is at every state what the oracle says', () => {
    holds(
      fc.property(history, (steps) => checkStates(make(steps, commonLine))),
      80,
    )
  })

  it('goes on from what is stored as if it had never been away', () => {
    holds(
      fc.property(history, fc.nat(), (steps, at) => {
        const whole = make(steps, commonLine)
        const parts = make(steps, commonLine, at % steps.length)
        checkStates(parts)
        assert.deepEqual(
          parts.versions.map(({ content }) => content),
          whole.versions.map(({ content }) => content),
        )
      }),
      60,
    )
  })

  it('joins states line by line: what a side has put is there, what a side has deleted is gone', () => {
    holds(
      fc.property(history, (steps) => {
        let fresh = 0
        // No merge that takes one side: it would put lines again that the other has deleted.
        const joins = steps.map((each) => ({ ...each, side: -1 }))
        const file = make(joins, () => `line ${fresh++}\n`)
        const puts = new Map<string, number>()
        const deletions: [text: string, by: number][] = []
        // Every line is new, so what a version did shows in its content alone.
        for (const { number, parents, content } of file.versions) {
          const lines = splitLines(content)
          for (const text of lines) if (!puts.has(text)) puts.set(text, number)
          const before = joined(file, puts, deletions, parents)
          for (const text of before) if (!lines.includes(text)) deletions.push([text, number])
        }
        for (const numbers of questions(file)) {
          const lines = splitLines(toLatin1(contentAt(file.weave(), file.vector(numbers))))
          assert.deepEqual(lines.toSorted(), [...joined(file, puts, deletions, numbers)].sort())
          for (const { content } of file.versions) {
            const there = splitLines(content).filter((line) => lines.includes(line))
            assert.deepEqual(
              lines.filter((line) => there.includes(line)),
              there,
              'lines keep their order',
            )
          }
        }
      }),
      60,
    )
  })

  it('names who first wrote a line, also where a merge took one side and put again what the other had deleted', () => {
    holds(
      fc.property(history, (steps) => {
        let fresh = 0
        const file = make(steps, () => `line ${fresh++}\n`)
        const weave = file.weave()
        const writers = new Map<string, number>()
        for (const { number, content, vector } of file.versions) {
          for (const text of splitLines(content)) if (!writers.has(text)) writers.set(text, number)
          for (const { run: i, from, to } of aliveAt(weave, vector)) {
            const run = weave.runs[i] as Run
            for (let line = from; line < to; line++) {
              const { slot, seq } = firstPut(file, run, line)
              assert.equal(file.holding(slot, seq), writers.get(toLatin1(linesOf(run, line, line + 1))))
            }
          }
        }
      }),
      60,
    )
  })

  for (const stored of [false, true]) {
    it(`names who first wrote a line that was put again twice${stored ? ', also from what is stored' : ''}`, () => {
      const file = new FileHistory()
      file.add([], 'x\na\nb\nc\n')
      file.add([1], 'x\nc\n')
      file.add([1], 'x\na\nb\nc\nd\n')
      file.add([2, 3], 'x\na\nb\nc\nd\n')
      if (stored) file.reload()
      file.add([4], 'x\nc\nd\n')
      file.add([4], 'x\na\nb\nc\nd\ne\n')
      const { vector } = file.add([5, 6], 'x\nb\nc\nd\ne\n')
      const weave = file.weave()
      const writers = [...aliveAt(weave, vector)].flatMap(({ run: i, from, to }) => {
        const run = weave.runs[i] as Run
        return Array.from({ length: to - from }, (_, k) => {
          const { slot, seq } = firstPut(file, run, from + k)
          return `${file.holding(slot, seq)} ${toLatin1(linesOf(run, from + k, from + k + 1))}`
        })
      })
      assert.deepEqual(writers, ['1 x\n', '1 b\n', '1 c\n', '3 d\n', '6 e\n'])
      checkStates(file)
    })
  }

  it('stores nothing of what came from another parent', () => {
    const file = new FileHistory()
    file.add([], 'a\nb\nc\n')
    file.add([1], 'a\nleft\nb\nc\n')
    file.add([1], 'a\nb\nc\nright\n')
    const before = file.entries.length
    const { vector } = file.add([2, 3], 'a\nleft\nb\nc\nright\n')
    assert.equal(file.entries.length, before)
    assert.equal(toLatin1(contentAt(file.weave(), vector)), 'a\nleft\nb\nc\nright\n')
  })

  it('keeps what one side deleted deleted, though the other had lines put inside it', () => {
    const file = new FileHistory()
    file.add([], 'a\nb\nc\nd\n')
    file.add([1], 'a\nd\n')
    file.add([1], 'a\nb\nnew\nc\nd\n')
    assert.equal(toLatin1(contentAt(file.weave(), file.vector([2, 3]))), 'a\nnew\nd\n')
  })

  it('reads lines anew where a join has one without a newline in the middle', () => {
    const file = new FileHistory()
    file.add([], 'a\n')
    file.add([1], 'a\nb')
    file.add([1], 'a\n\n')
    assert.deepEqual(file.linesOf(file.past([2, 3])).toSorted(), ['\n', 'a\n', 'b'])
    file.add([2, 3], 'a\nb\n\n')
    file.add([2, 3], 'a\nb\n')
    file.add([4], 'a\nb\n\nc')
    checkStates(file)
  })

  it('cuts a large insert into runs of at most 32 KiB', () => {
    const file = new FileHistory()
    const text = Array.from({ length: 4000 }, (_, i) => `line ${i}, which is not short\n`).join('')
    file.add([], text)
    assert.ok(file.entries.length > 1)
    for (const { value } of file.entries) assert.ok(value.length <= 32 * 1024, `${value.length} bytes`)
    file.add([1], text.replace('line 3000,', 'line three thousand,').replace('line 7,', ''))
    checkStates(file)
  })
})

/** Lines that some versions together come to, by their puts and deletions alone. */
function joined(
  file: FileHistory,
  puts: ReadonlyMap<string, number>,
  deletions: readonly (readonly [text: string, by: number])[],
  numbers: readonly number[],
): Set<string> {
  const past = file.past(numbers)
  const there = new Set([...puts].filter(([, by]) => past.has(by)).map(([text]) => text))
  for (const [text, by] of deletions) if (past.has(by)) there.delete(text)
  return there
}

describe('weave: entries that no writer makes', () => {
  const streams = new Streams()
  const refused: [name: string, entries: [key: string, value: string][], code: string][] = [
    ['a key that is too short', [['\x80\0\0\0\0\x01\0\0', 'a\n']], 'BAD_WEAVE'],
    ['a run without lines', [['\x80\0\0\0\0\x01\0\0\x01', '']], 'BAD_WEAVE'],
    ['a tombstone without its run', [['\0\0\0\0\0\x01\0\0\x01', '\x31\x05']], 'BAD_WEAVE'],
    [
      'a run whose digits end in 0, as nothing but what is beside a run may',
      [['\x80\0\0\0\0\0\x01\0\0\x01', 'a\n']],
      'BAD_WEAVE',
    ],
    ['origins that another stream puts beside a run', tombstone('o\x08\0\0\0\0\x01\0\0\x01', '\x02'), 'BAD_WEAVE'],
    ['origins that are cut off', tombstone('o\x07\0\0\0\0\x01\0\0'), 'BAD_RECORD'],
    ['origins that overlap', tombstone('o\x09\0\0\0\0\x01\0\0\x01\x01o\x08\0\0\0\0\x01\0\0\x01'), 'BAD_RECORD'],
    ['a tombstone of nothing', tombstone(''), 'BAD_RECORD'],
    ['a tombstone that is cut off', tombstone('\x32\x05'), 'BAD_RECORD'],
    ['a tombstone whose ranges touch', tombstone('\x30\x31\x01'), 'BAD_RECORD'],
    ['a tombstone whose ranges are out of order', tombstone('\x31\x02\x30'), 'BAD_RECORD'],
    ['a tombstone in another form than the shortest', tombstone('r\x01\x01'), 'BAD_RECORD'],
  ]
  function tombstone(value: string, stream = '\x01'): [key: string, value: string][] {
    const run = '\x80\0\0\0\0\x01\0\0\x01'
    return [
      [run, 'a\nb\nc\n'],
      [`${run}\0\0\0\0\0\x02\0\0${stream}`, value],
    ]
  }
  for (const [name, entries, code] of refused) {
    it(`refuses ${name}`, () => {
      assert.throws(() => readAll(entries.map(toEntry), streams), { name: 'CodedError', code })
    })
  }

  it('gives a coded error or a content for any entries', () => {
    const lseq = fc.tuple(fc.constantFrom(0, 1, 2, 300), fc.constantFrom(0, 1, 0xffffff)).map(([seq, stream]) => {
      return String.fromCharCode(0, 0, 0, seq >> 8, seq & 255, stream >> 16, (stream >> 8) & 255, stream & 255)
    })
    const part = fc.oneof(lseq, fc.constantFrom('\0', '\x01', '\x02', '\xdf', '\xe0', '\xef', '\xf0', '\xf8', '\xff'))
    const key = fc.array(part, { maxLength: 6 }).map((parts) => parts.join(''))
    const value = fc.oneof(
      fc.constantFrom('', 'a', 'a\nb\nc\n', '\x30', '\x31\x02', '\x39\xff\xff\xff\xff\xff\xff\xff\xff\xff'),
      anyBytes(6).map((bytes) => toLatin1(bytes)),
    )
    const entries = fc.array(fc.tuple(key, value), { maxLength: 10 })
    holds(
      fc.property(entries, (pairs) => readOrRefuse(pairs.map(toEntry))),
      2000,
    )
  })

  it('gives a coded error or a content for entries of which some were changed', () => {
    const change = fc.record({
      which: fc.nat(),
      what: fc.constantFrom('key', 'value', 'gone'),
      at: fc.nat(),
      to: fc.nat(255),
    })
    holds(
      fc.property(history, fc.array(change, { minLength: 1, maxLength: 3 }), (steps, changes) => {
        const entries = make(steps.slice(0, 8), commonLine).sorted()
        for (const { which, what, at, to } of changes) {
          const entry = entries[which % entries.length]
          if (entry === undefined) continue
          const copy = { key: Uint8Array.from(entry.key), value: Uint8Array.from(entry.value) }
          if (what === 'gone') entries.splice(which % entries.length, 1)
          else entries[which % entries.length] = copy
          if (what === 'key') copy.key[FILE_PREFIX_BYTES + (at % (copy.key.length - FILE_PREFIX_BYTES))] = to
          if (what === 'value') copy.value[at % copy.value.length] = to
        }
        readOrRefuse(entries)
      }),
      150,
    )
  })
})

function toEntry([key, value]: readonly [key: string, value: string]): Entry {
  return { key: fromLatin1(toLatin1(linesPrefix(FILE)) + key), value: fromLatin1(value) }
}

/** Reads some states in every way there is; what the weave takes, all others have to read the same. */
function readAll(entries: readonly Entry[], streams: Streams): void {
  const builder = new WeaveBuilder(streams)
  for (const { key, value } of entries) builder.push(key.subarray(FILE_PREFIX_BYTES), value)
  const weave = builder.finish()
  const versionOf = (slot: number, seq: number): number => 1 + ((slot + seq) % 7)
  const replay = new Replay(weave, versionOf)
  const weaver = new Weaver()
  weaver.load(weave, versionOf, (slot) => streams.id(slot))
  for (const odd of [0, 1]) {
    replay.goTo((version) => version % 2 === odd)
    assert.equal(toLatin1(weaver.stateAt((version) => version % 2 === odd).bytes), toLatin1(replay.content))
  }
  for (const most of [0, 1, 2, 300, SEQ_LIMIT - 1]) {
    let vector = Vector.empty
    for (let slot = 0; slot < streams.size; slot++) vector = vector.with(slot, slot % 2 === 0 ? SEQ_LIMIT - 1 : most)
    assert.equal(toLatin1(contentFrom(entries, streams, vector)), toLatin1(contentAt(weave, vector)))
  }
}

function readOrRefuse(entries: readonly Entry[]): void {
  const streams = new Streams()
  const sorted = entries.toSorted((a, b) => compareBytes(a.key, b.key))
  // Keys of a store are there once.
  const distinct = sorted.filter(({ key }, i) => i === 0 || compareBytes(key, (sorted[i - 1] as Entry).key) !== 0)
  for (const read of [
    () => readAll(distinct, streams),
    () => contentFrom(distinct, streams, Vector.empty.with(0, 9)),
  ]) {
    try {
      read()
    } catch (error) {
      if (!(error instanceof CodedError)) throw error
      assert.ok(error.code === 'BAD_WEAVE' || error.code === 'BAD_RECORD', error.code)
    }
  }
}
