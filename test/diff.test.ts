import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { fromLatin1 } from '../src/base/bytes.js'
import { type DiffMeter, diffTokens } from '../src/lines/diff.js'
import { countChanges, HUNK_FIELDS, type Hunks } from '../src/lines/hunk.js'
import { LineInterner, LineList, type LineTraits } from '../src/lines/intern.js'
import { holds } from './support/property.js'

/** Tokens of some lines, given without newlines. */
function tokensOf(lines: readonly string[], interner: LineInterner): Int32Array {
  const bytes = fromLatin1(lines.map((line) => `${line}\n`).join(''))
  const out = new LineList()
  interner.internRange(bytes, 0, bytes.length, out)
  return out.tokens.slice(0, out.length)
}

/** The diff of some lines, by the interner that knows them. */
function diffLines(a: readonly string[], b: readonly string[]): Hunks {
  const interner = new LineInterner()
  return diffTokens(tokensOf(a, interner), tokensOf(b, interner), interner)
}

/** Turns the old lines into the new ones by the hunks, checking that they are what they promise to be. */
function applyHunks<T>(a: ArrayLike<T>, b: ArrayLike<T>, hunks: Hunks): T[] {
  const result: T[] = []
  let from = 0
  for (let i = 0; i < hunks.length; i += HUNK_FIELDS) {
    const [aStart, aEnd, bStart, bEnd] = hunks.subarray(i, i + HUNK_FIELDS) as unknown as [
      number,
      number,
      number,
      number,
    ]
    assert.ok(aStart >= from && (i === 0 || aStart > from), 'sorted, with a common line between two hunks')
    assert.ok(aEnd > aStart || bEnd > bStart, 'not empty')
    for (; from < aStart; from++) result.push(a[from] as T)
    assert.equal(result.length, bStart)
    for (let at = bStart; at < bEnd; at++) result.push(b[at] as T)
    from = aEnd
  }
  for (; from < a.length; from++) result.push(a[from] as T)
  return result
}

function cost(hunks: Hunks): number {
  const { deleted, inserted } = countChanges(hunks)
  return deleted + inserted
}

/** Changed lines of a shortest diff: the textbook table. */
function shortestCost(a: readonly string[], b: readonly string[]): number {
  let row = new Array<number>(b.length + 1).fill(0)
  for (const line of a) {
    const next = [0]
    b.forEach((other, j) => {
      next.push(line === other ? (row[j] as number) + 1 : Math.max(row[j + 1] as number, next[j] as number))
    })
    row = next
  }
  return a.length + b.length - 2 * (row.at(-1) as number)
}

const someLines: fc.Arbitrary<string[]> = fc.array(
  fc.constantFrom('', '', '}', 'a', 'b', 'c', ' d', '  e', 'f', 'g', 'h', 'i'),
  {
    maxLength: 30,
  },
)

/** Lines, and the same lines with a few places changed. */
const edited = fc
  .tuple(
    someLines,
    fc.array(fc.tuple(fc.nat(30), fc.nat(4), fc.array(fc.constantFrom('', '}', 'a', 'x', ' y'), { maxLength: 4 })), {
      maxLength: 4,
    }),
  )
  .map(([lines, edits]): [string[], string[]] => {
    const result = [...lines]
    for (const [at, deleted, inserted] of edits) result.splice(at, deleted, ...inserted)
    return [lines, result]
  })

/** Lines with enough ink, each at most twice, and so many that twice is not frequent. */
const letters = [...'abcdefghijklmnopqrstuvwxyz'].map((letter) => `line ${letter}`)
const telling = fc
  .tuple(
    fc.shuffledSubarray(letters),
    fc.shuffledSubarray(letters),
    fc.shuffledSubarray(['more 1', 'more 2', 'more 3']),
  )
  .map((parts) => parts.flat())

const pairs = fc.oneof(fc.tuple(someLines, someLines), edited)

describe('diff: properties', () => {
  it('hunks turn the old version into the new one', () => {
    holds(
      fc.property(pairs, ([a, b]) => assert.deepEqual(applyHunks(a, b, diffLines(a, b)), b)),
      500,
    )
  })

  it('equal versions have no hunks', () => {
    holds(fc.property(someLines, (a) => assert.equal(diffLines(a, a).length, 0)))
  })

  it('is at most twice the shortest, and never over everything', () => {
    holds(
      fc.property(pairs, ([a, b]) => {
        const changed = cost(diffLines(a, b))
        const shortest = shortestCost(a, b)
        assert.ok(changed >= shortest, 'nothing is shorter than the shortest')
        assert.ok(changed <= 2 * shortest, `${changed} changed lines, ${shortest} would do`)
        assert.ok(changed <= a.length + b.length)
      }),
      500,
    )
  })

  it('is the shortest where no line is weak', () => {
    holds(fc.property(telling, telling, (a, b) => assert.equal(cost(diffLines(a, b)), shortestCost(a, b))))
  })

  it('costs the same in both directions where no line is weak', () => {
    holds(fc.property(telling, telling, (a, b) => assert.equal(cost(diffLines(a, b)), cost(diffLines(b, a)))))
  })

  it('does not depend on what is known to be common', () => {
    holds(
      fc.property(edited, fc.nat(), fc.nat(), ([a, b], some, more) => {
        const interner = new LineInterner()
        const [at, bt] = [tokensOf(a, interner), tokensOf(b, interner)]
        const shorter = Math.min(at.length, bt.length)
        let prefix = 0
        while (prefix < shorter && at[prefix] === bt[prefix]) prefix++
        let suffix = 0
        while (suffix < shorter - prefix && at.at(-1 - suffix) === bt.at(-1 - suffix)) suffix++
        const known = diffTokens(at, bt, interner, some % (prefix + 1), prefix === shorter ? 0 : more % (suffix + 1))
        assert.deepEqual(known, diffTokens(at, bt, interner))
      }),
      500,
    )
  })
})

describe('diff: work', () => {
  const LINES = 20_000
  /** Tokens `0..LINES` for the old version, more for the new one, all of them lines with ink. */
  const traits: LineTraits = {
    size: 3 * LINES,
    indents: new Int16Array(3 * LINES),
    inks: new Uint8Array(3 * LINES).fill(8),
  }

  /** Tokens by line number. */
  function lines(count: number, token: (line: number) => number): Int32Array {
    return Int32Array.from({ length: count }, (_, line) => token(line))
  }

  /** Numbers that look random and are the same in every run. */
  function scramble(line: number, salt: number): number {
    const mixed = Math.imul(line + salt * 0x9e3779b1, 0x85ebca6b)
    return Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35) >>> 8
  }

  /** All lines once, in an order that looks random. */
  function shuffled(salt: number): Int32Array {
    return lines(LINES, (line) => line).sort((x, y) => scramble(x, salt) - scramble(y, salt))
  }

  const count = LINES
  const cases: [name: string, a: Int32Array, b: Int32Array, atMost: number][] = [
    ['equal lines, more of them', lines(count, () => 0), lines(count / 2, () => 0), count / 2],
    ['ABAB against BABA', lines(count, (i) => i % 2), lines(count, (i) => (i + 1) % 2), 2],
    [
      'ABAB with a slip in the middle',
      lines(count, (i) => i % 2),
      lines(count, (i) => (i < count / 2 ? i : i + 1) % 2),
      2,
    ],
    ['random permutations', shuffled(1), shuffled(2), 2 * count],
    ['a file reversed', lines(count, (i) => i), lines(count, (i) => count - 1 - i), 2 * count - 2],
    ['a file rotated', lines(count, (i) => i), lines(count, (i) => (i + count / 2) % count), count],
    ['nothing in common', lines(count, (i) => i), lines(count, (i) => count + i), 2 * count],
    ['every other line new', lines(count, (i) => i), lines(count, (i) => (i % 2 === 0 ? i : i + count)), count],
    ['two lines at random', lines(count, (i) => scramble(i, 3) % 2), lines(count, (i) => scramble(i, 4) % 2), count],
    [
      'ten lines at random',
      lines(count, (i) => scramble(i, 5) % 10),
      lines(count, (i) => scramble(i, 6) % 10),
      1.5 * count,
    ],
    [
      'a thousand at random',
      lines(count, (i) => scramble(i, 7) % 1000),
      lines(count, (i) => scramble(i, 8) % 1000),
      2 * count,
    ],
    ['periods of 3 and 5', lines(count, (i) => i % 3), lines(count, (i) => (i % 5) % 3), count],
    [
      'blocks of repeated lines swapped',
      lines(count, (i) => i % 5000),
      lines(count, (i) => (i ^ 128) % 5000),
      1.5 * count,
    ],
    ['blocks swapped in pairs', lines(count, (i) => i), lines(count, (i) => i ^ 128), 1.5 * count],
    [
      'equal lines with marks in other places',
      lines(count, (i) => +(i % 97 === 0)),
      lines(count, (i) => +(i % 101 === 0)),
      500,
    ],
  ]
  for (const [name, a, b, atMost] of cases) {
    it(`${name}: in linear time`, () => {
      const meter: DiffMeter = { steps: 0 }
      const hunks = diffTokens(a, b, traits, 0, 0, meter)
      assert.deepEqual(applyHunks(a, b, hunks), [...b])
      assert.ok(cost(hunks) <= atMost, `${cost(hunks)} changed lines`)
      // The budget is 1,000,000 + 128 for a line, once for the diff and once for sliding; the product would be 4e8.
      assert.ok(meter.steps <= 2 * (1_000_000 + 128 * (a.length + b.length)), `${meter.steps} steps`)
    })
  }

  it('stops at its budget where every cut at an anchor leaves all but some lines', () => {
    // Line `i` of 4 is unique only behind the cut at the one before it; the rest is noise of nine lines, other in both.
    const ladder = (salt: number): Int32Array =>
      lines(count, (i) => {
        const rung = count + Math.floor(i / 5)
        if (i % 5 === 4) return rung
        return i % 5 === 0 ? rung + 1 : scramble(i, salt) % 9
      })
    const [a, b] = [ladder(1), ladder(2)]
    const meter: DiffMeter = { steps: 0 }
    assert.deepEqual(applyHunks(a, b, diffTokens(a, b, traits, 0, 0, meter)), [...b])
    assert.ok(meter.steps <= 2 * (1_000_000 + 128 * (a.length + b.length)), `${meter.steps} steps`)
  })

  it('sees a small change in a large file with little work', () => {
    const a = lines(count, (i) => i)
    const b = a.slice()
    b[count / 2] = count
    const meter: DiffMeter = { steps: 0 }
    assert.deepEqual(
      [...diffTokens(a, b, traits, count / 2, count / 2 - 1, meter)],
      [1, 2, 1, 2].map((n) => n + count / 2 - 1),
    )
    assert.ok(meter.steps < 20, `${meter.steps} steps`)
  })
})

/**
 * Quality cases. A case is one line: the lines of both versions as words, in the order of the diff wanted, `-` before
 * what goes and `+` before what comes. `_` is a blank line, and each `.` before a word is one level of indent.
 * `git diff` comes out the same, except where it is said.
 */
describe('diff: what people expect', () => {
  const cases: [name: string, wanted: string][] = [
    ['one line changed', 'a -b +x c'],
    ['lines put at the start, in the middle, at the end', '+x a +y b +z'],
    ['everything new', '+a +b'],
    ['everything gone', '-a -b'],
    ['a function put between two alike', 'f{ .a } _ +g{ +.b +} +_ h{ .c }'],
    ['a function taken from between two alike', 'f{ .a } _ -g{ -.b -} -_ h{ .c }'],
    ['a function put last', 'f{ .a } _ g{ .b } +_ +h{ +.c +}'],
    ['a function put first', '+f{ +.a +} +_ g{ .b } _ h{ .c }'],
    ['a block put between equal blocks', 'if{ .a } +if{ +.b +} if{ .c }'],
    ['a branch put into a chain', 'if{ .a +}else{ +.b }else{ .c }'],
    ['a copy put before a block goes behind it', 'f{ .a } _ +f{ +.a +} +_ g{ .b }'],
    ['an entry added to a list', '[ .a, .b, +.c, ]'],
    ['an element closed like its neighbours', '<l> .<i> ..a .</i> +.<i> +..b +.</i> .<i> ..c .</i> </l>'],
    ['a comment with its function', '/* .A */ f{ .a } _ +/* +.B +*/ +g{ +.b +} +_ /* .C */ h{ .c }'],
    ['a paragraph put between paragraphs', 'a b _ +c +d +_ e f'],
    ['a blank line more', 'a _ +_ b'],
    ['a blank line less', 'a _ -_ b'],
    ['a large function stays, a small one moves', '-f{ -.a -} -_ g{ .b .c .d .e .f } _ +f{ +.a +} +_ h{ .h }'],
    [
      'a block written anew keeps no blank lines of the old (git keeps some)',
      'f{ -.a -.b -_ -.c -.d -_ -.e -.f -.g -.h -.i -.j +.k +.l +.m +_ +.n +.o +.p +_ +.q +.r +.s +.t +.u }',
    ],
    [
      'double-spaced texts that share blank lines alone (git keeps some)',
      '-a -_ -b -_ -c -_ -d -_ -e +f +_ +g +_ +h +_ +i +_ +j',
    ],
    [
      'braces alone do not relate two functions (git keeps some)',
      '-f{ -.a -.b -.c -.d -} +g( +.e +} +.h +.i +.j +.k +)',
    ],
    ['deletion and insertion at one place are one hunk', 'a -b -c +d +e f'],
    ['small changes around a blank line keep it', 'f{ -.a +.b _ -.c +.d }'],
    [
      'blank lines beside what stays, stay',
      '-.old +.new foo{ _ -.a -.b -.c -.d -.e -.f -.g -_ -.h -.i -.j -.k -.l -.m -.n ' +
        '+.o +.p +.q +.r +.s +.t +.u +_ +.v +.w +.x +.y +.z +.A +.B _ } -.past +.next end',
    ],
    ['braces that are most of the text stay', '-a +b } } } -c +d } } } -e -f +g +h'],
    ['an insertion joins a deletion beside it', '-_ +} }'],
    ['a change of indent', 'f{ -.a -.b +.if{ +..a +..b +.} }'],
  ]

  // Each of these comes out otherwise when one part of the score (slide.ts) is taken away.
  const places: [part: string, wanted: string][] = [
    ['start of file', '-} -.b }'],
    ['end of file', '.} +} +.} }'],
    ['blank lines around', '_ -_'],
    ['blank lines behind', '_ } +}'],
    ['indented', '} +.b .b .a'],
    ['indented behind a blank line', '.} +} } _ .a'],
    ['outdented', '_ .} } +.} +}'],
    ['outdented behind a blank line', '.} _ } .a +_ +} +.a'],
    ['dedented', '.} } -_ -} }'],
    ['dedented behind a blank line', '.a _ _ } +}'],
    ['places as many as lines', '_ _ .} .} .} +.} .if{'],
    ['the end of the file as a blank line', 'a b _ +c +_ +d +_'],
  ]

  const lineOf = (word: string): string => {
    const [, dots = '', ink = ''] = /^(\.*)(.*)$/.exec(word) as RegExpExecArray
    return ink === '_' ? '' : '    '.repeat(dots.length) + ink
  }

  for (const [name, wanted] of [...cases, ...places]) {
    it(`${name}: ${wanted}`, () => {
      const words = wanted.split(' ').map((word) => (/^[-+]/.test(word) ? [word[0], word.slice(1)] : [' ', word]))
      const [old, now] = ['-', '+'].map((sign) => words.filter(([mark]) => mark === ' ' || mark === sign))
      const [a, b] = [old, now].map((side) => (side as string[][]).map(([, word]) => word as string)) as [
        string[],
        string[],
      ]
      const hunks = diffLines(a.map(lineOf), b.map(lineOf))
      const got: string[] = []
      let from = 0
      for (let i = 0; i < hunks.length; i += HUNK_FIELDS) {
        got.push(...a.slice(from, hunks[i]))
        got.push(...a.slice(hunks[i], hunks[i + 1]).map((word) => `-${word}`))
        got.push(...b.slice(hunks[i + 2], hunks[i + 3]).map((word) => `+${word}`))
        from = hunks[i + 1] as number
      }
      assert.equal([...got, ...a.slice(from)].join(' '), wanted)
    })
  }
})
