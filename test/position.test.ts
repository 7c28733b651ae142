import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { compareBytes, concatBytes, fromHex, startsWith, toHex } from '../src/base/bytes.js'
import { digitsBetween, linePosition, linesBefore, type Newer, RUN_LINES_LIMIT } from '../src/lines/position.js'
import type { WovenRun } from '../src/lines/weaver.js'
import { LSEQ_BYTES } from '../src/lseq/lseq.js'
import { byBytes, checkOrder, digitsOf, type Line, LineOrder, nameOf, positionOf } from './support/line-order.js'
import { anyBytes, holds } from './support/property.js'

const bytes = (hex: string): Uint8Array => fromHex(hex) as Uint8Array
const maybe = (hex: string | undefined): Uint8Array | undefined => (hex === undefined ? undefined : bytes(hex))

describe('position: digits between two neighbours', () => {
  const cases: [name: string, left: string | undefined, right: string | undefined, newer: Newer, digits: string][] = [
    ['in an empty file', undefined, undefined, 'left', '80'],
    ['at the end, beside the last', '8001', undefined, 'left', '81'],
    ['at the end, far from the last', '8001', undefined, 'right', 'ff'],
    ['at the end, behind the last byte there is', 'ffff01', undefined, 'left', 'ffff02'],
    ['at the end, behind nothing else', 'ffff', undefined, 'left', 'ffff01'],
    ['at the start, beside the first', undefined, '8001', 'right', '7f'],
    ['at the start, far from the first', undefined, '8001', 'left', '01'],
    ['at the start, where 1 is taken', undefined, '0105', 'right', '00ff'],
    ['at the start, where 00 01 is taken', undefined, '000105', 'right', '0000ff'],
    ['with room, beside the left', '1099', '2055', 'left', '11'],
    ['with room, beside the right', '1099', '2055', 'right', '1f'],
    ['without room, behind the left', '1099', '1155', 'left', '109a'],
    ['without room, before the right', '1099', '1155', 'right', '1154'],
    ['without room, where the left is full', '10ffff', '1155', 'left', '1101'],
    ['without room, where the right is low', '1099', '11000055', 'right', '10ff'],
    ['inside a run', '8005', '8006', 'left', '800501'],
    ['inside a run, where all of the left is full', '8005ffff', '8006', 'right', '8005ffffff'],
    ['inside a run, behind a line and before what is inserted there', '8005', '80050140', 'right', '800500ff'],
  ]
  for (const [name, left, right, newer, digits] of cases) {
    it(name, () => assert.equal(toHex(digitsBetween(maybe(left), maybe(right), newer)), digits))
  }

  const refused: [name: string, left: string | undefined, right: string][] = [
    ['the same twice', '8001', '8001'],
    ['the wrong order', '8002', '8001'],
    ['a left neighbour that the right one begins', '800101', '8001'],
    ['nothing but zeros between them', '80', '800000'],
    ['nothing but zeros before the right one', undefined, '00'],
  ]
  for (const [name, left, right] of refused) {
    it(`refuses ${name}`, () => assert.throws(() => digitsBetween(maybe(left), bytes(right), 'left'), RangeError))
  }

  it('are between, whatever follows them, do not end in 0, and none are shorter', () => {
    const low = fc.uint8Array({ max: 3, maxLength: 4 })
    const high = fc.uint8Array({ min: 253, maxLength: 4 })
    const near = fc.oneof(low, high, anyBytes(4))
    const pair = fc.tuple(anyBytes(3), near, near).map(([head, a, b]) => [concatBytes(head, a), concatBytes(head, b)])
    holds(
      fc.property(pair, fc.constantFrom<Newer>('left', 'right'), anyBytes(3), ([one, other], newer, suffix) => {
        const [left, right] = compareBytes(one as Uint8Array, other as Uint8Array) < 0 ? [one, other] : [other, one]
        fc.pre(left !== undefined && right !== undefined && compareBytes(left, right) < 0 && right.at(-1) !== 0)
        const digits = digitsBetween(left, right, newer)
        assert.ok(isBetween(concatBytes(digits, suffix), left, right), toHex(digits))
        assert.ok(isBetween(digits, left, right) && !startsWith(left, digits), toHex(digits))
        assert.notEqual(digits.at(-1), 0)
        for (let length = 1; length < digits.length; length++) {
          const least = leastAbove(left, length)
          assert.ok(
            least === undefined || !isBetween(least, left, right) || startsWith(right, least),
            'not the shortest',
          )
        }
      }),
      2000,
    )
  })
})

function isBetween(middle: Uint8Array, left: Uint8Array, right: Uint8Array): boolean {
  return compareBytes(left, middle) < 0 && compareBytes(middle, right) < 0
}

/** The least digits of some length above `left` and all that begins with them; undefined where there are none. */
function leastAbove(left: Uint8Array, length: number): Uint8Array | undefined {
  const digits = new Uint8Array(length)
  digits.set(left.subarray(0, length))
  if (length > left.length) return digits.fill(1, -1)
  let at = length - 1
  while (at >= 0 && digits[at] === 0xff) digits[at--] = 0
  if (at < 0) return undefined
  digits[at] = (digits[at] as number) + 1
  if (digits.at(-1) === 0) digits.fill(1, -1)
  return digits
}

describe('position: index of a line', () => {
  const cases: [index: number, hex: string][] = [
    [0, '01'],
    [222, 'df'],
    [223, 'e000'],
    [4318, 'efff'],
    [4319, 'f00000'],
    [RUN_LINES_LIMIT - 1, 'f7ffff'],
  ]
  for (const [index, hex] of cases) {
    it(`${index} is ${hex}`, () => assert.equal(toHex(linePosition(bytes('80'), index)), `80${hex}`))
  }
  for (const index of [-1, RUN_LINES_LIMIT]) {
    it(`${index} is refused`, () => assert.throws(() => linePosition(bytes('80'), index), RangeError))
  }

  it('keeps the order of all there are, is prefix-free, and never begins with 0', () => {
    const none = new Uint8Array(0)
    let before = linePosition(none, 0)
    for (let i = 1; i < RUN_LINES_LIMIT; i++) {
      const index = linePosition(none, i)
      // Neighbours are enough: what begins with `before` sorts next to it.
      if (compareBytes(before, index) >= 0 || startsWith(index, before) || index[0] === 0) assert.fail(`index ${i}`)
      before = index
    }
  })

  it('says how many lines come before a position in the run, even for digits cut short', () => {
    const index = fc.oneof(fc.nat(300), fc.integer({ min: 4200, max: 5000 }), fc.nat(RUN_LINES_LIMIT - 1))
    const count = fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 4200, max: 5000 }))
    const run = bytes('800000000007000001')
    const inside = fc.oneof(
      fc.tuple(index, anyBytes(10)).map(([i, rest]) => concatBytes(linePosition(run, i), rest)),
      fc.tuple(fc.nat(255), fc.uint8Array({ minLength: 2, maxLength: 9 })).map(([first, rest]) => {
        return concatBytes(run, Uint8Array.of(first), rest)
      }),
    )
    holds(
      fc.property(inside, count, (position, lines) => {
        let before = 0
        while (before < lines && compareBytes(linePosition(run, before), position) <= 0) before++
        assert.equal(Math.min(linesBefore(position, run.length), lines), before, toHex(position))
      }),
      500,
    )
  })
})

/** Inserts made one after the other. */
const INSERTS = 1500

/** Bytes that all those may add to the longest position: one per hundred for whoever keeps to one place. */
const FEW = INSERTS / 100

const newest = (file: LineOrder): WovenRun | undefined => file.runs.at(-1)
const among = (file: LineOrder, gap: number): number => Math.max(0, Math.min(gap, file.lines.length))

/** Where the next line goes, for an author who follows some pattern for ever. */
type Pattern = (file: LineOrder, i: number) => number

function emptyFile(): LineOrder {
  return new LineOrder()
}

function fileOf(lines: number): () => LineOrder {
  return () => {
    const file = new LineOrder()
    file.insert(0, lines, 1)
    return file
  }
}

describe('position: growth', () => {
  const patterns: [name: string, start: () => LineOrder, pattern: Pattern, bound: number][] = [
    ['appending', emptyFile, (file) => file.lines.length, FEW],
    ['prepending', emptyFile, () => 0, FEW],
    ['at either end in turn', emptyFile, (file, i) => (i % 2 === 0 ? 0 : file.lines.length), FEW],
    ['behind the first line', emptyFile, (file) => among(file, 1), FEW],
    ['before the last line', emptyFile, (file) => among(file, file.lines.length - 1), FEW],
    ['inside a run, behind one line', fileOf(100), () => 50, FEW],
    ['inside a run, before one line', fileOf(100), (_, i) => 50 + i, FEW],
    ['inside a run, at two places', fileOf(100), (_, i) => (i % 2 === 0 ? 20 : 50 + i), FEW],
    ['inside a run, behind its line 222', fileOf(300), () => 223, FEW],
    ['inside a run, before its line 223', fileOf(300), (_, i) => 223 + i, FEW],
    ['inside a run, behind its line 4318', fileOf(5000), () => 4319, FEW],
    ['inside a run, before its line 4319', fileOf(5000), (_, i) => 4319 + i, FEW],
    // Every insert halves the room there is, so it needs a bit at least; here it takes a byte.
    ['in the middle of the file', emptyFile, (file) => file.lines.length >> 1, INSERTS],
    ['in the middle of what is in a run', fileOf(100), (_, i) => 50 + (i >> 1), INSERTS],
    ['between the two newest', emptyFile, betweenTheNewest, INSERTS],
  ]
  for (const [name, start, pattern, bound] of patterns) {
    it(`for ever ${name}: at most ${bound} bytes in ${INSERTS} inserts`, () => {
      const file = start()
      const before = file.runs[0] === undefined ? 1 : positionOf(file.runs[0]).length + 3
      for (let i = 0; i < INSERTS; i++) file.insert(pattern(file, i), 1, i + 10)
      const longest = Math.max(...file.runs.map((run) => positionOf(run).length)) - LSEQ_BYTES
      assert.ok(longest - before <= bound, `${longest - before} bytes`)
      checkOrder(file)
    })
  }

  it('in the middle of the newest run for ever: a byte, an index and an lseq per insert', () => {
    const file = new LineOrder()
    for (let i = 0; i < 300; i++) file.insert(file.at(newest(file), 1), 2, i + 1)
    const longest = Math.max(...file.runs.map((run) => positionOf(run).length))
    assert.equal(longest, 300 * (1 + 1 + LSEQ_BYTES) - 1)
    checkOrder(file)
  })
})

function betweenTheNewest(file: LineOrder, i: number): number {
  return i < 2 ? i : Math.max(file.at(file.runs.at(-1)), file.at(file.runs.at(-2)))
}

const lineCount = fc.oneof(
  { weight: 20, arbitrary: fc.integer({ min: 1, max: 4 }) },
  { weight: 2, arbitrary: fc.integer({ min: 220, max: 230 }) },
  { weight: 1, arbitrary: fc.integer({ min: 4315, max: 4325 }) },
)

/** One insert: a habit of the author, a place for those that need one, how many lines. */
const insert = fc.record({
  habit: fc.constantFrom('anywhere', 'behind the newest', 'before the newest', 'in the newest', 'as before'),
  place: fc.nat(),
  count: lineCount,
})

function gapFor(file: LineOrder, habit: string, place: number, last: number): number {
  const run = newest(file)
  const first = file.at(run)
  if (run === undefined || habit === 'anywhere') return place % (file.lines.length + 1)
  if (habit === 'as before') return among(file, last)
  if (habit === 'before the newest') return first
  return habit === 'behind the newest' ? file.at(run, run.count - 1) + 1 : first + (place % run.count)
}

/** Lseqs at which some byte is 0, 255, or both. */
const clock = fc.record({
  from: fc.constantFrom(1, 250, 65_500, 2 ** 24 - 8, 2 ** 32 - 300, 2 ** 39, 2 ** 40 - 2 ** 20),
  stream: fc.constantFrom(1, 0xff, 0x100, 0xffff, 0xff0000, 0xfffffe, 0xffffff),
})

describe('position: order', () => {
  it('is the intended one after any inserts', () => {
    holds(
      fc.property(fc.array(insert, { maxLength: 80, size: 'max' }), clock, (inserts, { from, stream }) => {
        const file = new LineOrder()
        let seq = from
        let gap = 0
        for (const { habit, place, count } of inserts) {
          gap = gapFor(file, habit, place, gap)
          file.insert(gap, count, seq, stream)
          seq += count
        }
        checkOrder(file)
      }),
      60,
    )
  })

  it('is the intended one after hundreds of inserts at few places', () => {
    const few = fc.record({ place: fc.nat(5), side: fc.boolean(), times: fc.integer({ min: 1, max: 600 }) })
    holds(
      fc.property(fc.array(few, { maxLength: 4 }), (habits) => {
        const file = fileOf(6)()
        for (const { place, side, times } of habits) {
          let gap = place
          for (let i = 0; i < times; i++) {
            file.insert(gap, 1, file.lines.length + 10)
            if (side) gap++
          }
        }
        checkOrder(file)
      }),
      25,
    )
  })
})

describe('position: concurrent inserts', () => {
  const streams = fc.uniqueArray(fc.integer({ min: 1, max: 0xffffff }), { minLength: 2, maxLength: 5 })

  it('at one place lie side by side, whole, in lseq order', () => {
    holds(
      fc.property(streams, fc.nat(20), fc.array(fc.nat(3), { minLength: 5, maxLength: 5 }), (ids, gap, extras) => {
        const base = fileOf(20)()
        // Every writer sees the base only; their clocks may or may not agree.
        const runs = ids.map((stream, i) => {
          return new LineOrder(base.lines, base.runs).insert(
            gap,
            1 + (extras[i] as number),
            30 + (extras[i] as number),
            stream,
          )
        })
        for (const run of runs) assert.equal(toHex(digitsOf(run)), toHex(digitsOf(runs[0] as WovenRun)))
        runs.sort((a, b) => a.seq - b.seq || a.stream - b.stream)
        const lines = runs.flatMap((run) => Array.from({ length: run.count }, (_, index) => ({ run, index })))
        checkOrder({ lines: base.lines.toSpliced(gap, 0, ...lines), runs: [...base.runs, ...runs] })
      }),
    )
  })

  it('between two of them, or behind one, find room', () => {
    const neighbour = fc.nat(3).map((n) => 0xfffffc + n)
    holds(
      fc.property(neighbour, fc.integer({ min: 1, max: 300 }), fc.boolean(), (stream, inserts, behind) => {
        const base = fileOf(2)()
        const pair = [stream - 1, stream].map((id) =>
          new LineOrder(base.lines, base.runs).insert(1, 2, 0xffffffffff - 9, id),
        )
        const runs = [...base.runs, ...pair]
        const file = new LineOrder(byBytes(runs), runs)
        let gap = file.at(pair[1])
        for (let i = 0; i < inserts; i++) {
          file.insert(gap, 1, 0xffffffffff - 8 + i, 5)
          if (behind) gap++
        }
        checkOrder(file)
      }),
      50,
    )
  })

  const insertOrHear = fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({
        act: fc.constant('insert'),
        who: fc.nat(3),
        place: fc.nat(),
        count: fc.integer({ min: 1, max: 3 }),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ act: fc.constant('hear'), who: fc.nat(3), place: fc.nat(3), count: fc.nat(9) }),
    },
  )
  const steps = fc.array(insertOrHear, { maxLength: 50, size: 'max' })

  /** Lets four writers work and talk, and returns the whole file; `around` is told what lay around each new run. */
  function simulate(
    work: readonly { act: string; who: number; place: number; count: number }[],
    streamIds: readonly number[],
    around: Map<WovenRun, ReadonlySet<WovenRun>>,
  ): LineOrder {
    const replicas = streamIds.map(() => new LineOrder())
    for (const { act, who, place, count } of work) {
      const replica = replicas[who] as LineOrder
      if (act === 'hear') {
        replicas[who] = hear(replica, replicas[place] as LineOrder, count)
        continue
      }
      const gap = place % (replica.lines.length + 1)
      const enclosing = replica.around(gap)
      const seq = 1 + Math.max(0, ...replica.runs.map((run) => run.seq + run.count - 1))
      around.set(replica.insert(gap, count, seq, streamIds[who]), enclosing)
      checkOrder(replica)
    }
    const merged = replicas.map((_, first) => {
      const inTurn = [...replicas.slice(first), ...replicas.slice(0, first)]
      return inTurn.reduce((all, other) => hear(all, other, Number.POSITIVE_INFINITY))
    })
    const [whole, ...others] = merged as [LineOrder, ...LineOrder[]]
    for (const other of others) assert.deepEqual(other.lines.map(nameOf), whole.lines.map(nameOf))
    checkOrder(whole)
    return whole
  }

  it('give every replica one order, whoever hears of what when, and no run gets into another', () => {
    holds(
      fc.property(steps, (work) => {
        const around = new Map<WovenRun, ReadonlySet<WovenRun>>()
        checkWhole(simulate(work, [0x1f03a7, 0x52a9f6, 0x83c2e4, 0xc4d1b0], around), around)
      }),
      60,
    )
  })

  it('find room before a run whose very position somebody had chosen for digits', () => {
    const [one, two, three] = [1, 2, 3].map((stream) => {
      const file = new LineOrder()
      file.insert(0, 2, 9, stream)
      return file
    }) as [LineOrder, LineOrder, LineOrder]
    const known = hear(one, three, 1)
    const chosen = known.insert(2, 1, 20)
    assert.equal(toHex(digitsOf(chosen)), toHex(positionOf(two.runs[0] as WovenRun)))
    const file = hear(known, two, 1)
    const gap = file.at(chosen) + 1
    assert.equal(file.lines[gap]?.run, two.runs[0])
    for (let i = 0; i < 600; i++) file.insert(i % 2 === 0 ? gap : gap + 1, 1, 30 + i)
    checkOrder(file)
  })

  // Digits that go between two lseqs may then be the lseq of a run that their writer did not know.
  it('give every replica one order, even where ids of streams are neighbours', () => {
    holds(
      fc.property(steps, (work) => void simulate(work, [1, 2, 3, 4], new Map())),
      60,
    )
  })
})

/** A replica that has heard of so many runs of another that it had not heard of: the oldest, with all they stand on. */
function hear(own: LineOrder, other: LineOrder, most: number): LineOrder {
  const known = new Set(own.runs)
  const news = other.runs.filter((run) => !known.has(run)).sort((a, b) => a.seq - b.seq)
  const runs = [...own.runs, ...news.slice(0, most)]
  return new LineOrder(byBytes(runs), runs)
}

/** Between two lines of a run stands only what somebody who saw the run put there. */
function checkWhole({ lines }: LineOrder, around: ReadonlyMap<WovenRun, ReadonlySet<WovenRun>>): void {
  lines.forEach((line: Line, at) => {
    if (line.index > 0) return
    const before = new Set(lines.slice(0, at).map(({ run }) => run))
    for (const { run } of lines.slice(at + 1)) {
      if (run === line.run || !before.has(run)) continue
      assert.ok(around.get(line.run)?.has(run), `${nameOf(line)} got into the run of ${nameOf({ run, index: 0 })}`)
    }
  })
}
