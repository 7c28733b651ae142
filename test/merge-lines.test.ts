/**
 * Merging lines, against an oracle over random histories; moved blocks, markers, and what must not attract an edit.
 * @module
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { fromLatin1, toLatin1 } from '../src/base/bytes.js'
import { markedText, textOfLines } from '../src/lines/markers.js'
import { mergeParts, type Part, type Span } from '../src/lines/merge.js'
import { mergeLines } from '../src/lines/moves.js'
import { type ThreeWay, threeFromTexts, threeFromWeave } from '../src/lines/three-way.js'
import { FileHistory, splitLines } from './support/file-model.js'
import { intersection, type OracleGroup, oracleMerge } from './support/merge-oracle.js'
import { lines } from './support/merging.js'
import { holds } from './support/property.js'

/** A version: which versions it grows on, and what it changes: where, how many lines go, which come. */
const step = fc.record({
  parents: fc.array(fc.nat(), { minLength: 1, maxLength: 2 }),
  changes: fc.array(fc.tuple(fc.nat(), fc.nat(2), fc.array(fc.nat(), { maxLength: 3 })), { maxLength: 3 }),
})
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never
const history = fc.array(step, { minLength: 3, maxLength: 12, size: 'max' })

/** Lines of which some are blank and some come twice. */
const someLine = (n: number): string => (n % 5 === 0 ? '\n' : n % 5 === 1 ? '}\n' : `line ${n % 40}\n`)

const LINES = Array.from({ length: 20 }, (_, i) => `first ${i}\n`)

/** Makes the versions that `steps` describe, all on top of a first one. */
function make(steps: readonly Step[]): FileHistory {
  const file = new FileHistory()
  file.add([], LINES.join(''))
  for (const { parents, changes } of steps) {
    const count = file.versions.length
    const distinct = [...new Set(parents.map((n) => 1 + (n % count)))]
    const own = file.linesOf(file.past(distinct))
    for (const [at, gone, news] of changes) own.splice(at % (own.length + 1), gone, ...news.map(someLine))
    file.add(distinct, own.join(''))
  }
  return file
}

const pair = fc.tuple(history, fc.nat(), fc.nat())

/** Two versions of a history, merged. */
function merging(file: FileHistory, one: number, other: number) {
  const [left, right] = [one, other].map((n) => file.version(1 + (n % file.versions.length))) as [
    ReturnType<FileHistory['version']>,
    ReturnType<FileHistory['version']>,
  ]
  return { left, right, three: threeFromWeave(file.weave(), left.vector, right.vector) }
}

/** The bytes of a version's lines. */
function text(three: ThreeWay, version: 'base' | 'left' | 'right', span?: Span): string {
  const { tokens } = three[version]
  return textOfLines(three.interner, tokens, span ?? { from: 0, to: tokens.length })
}

/** What is taken of each part; undefined where one conflicts. */
function clean(three: ThreeWay, parts: readonly Part[]): string | undefined {
  if (parts.some(({ kind }) => kind === 'conflict')) return undefined
  return parts
    .map((part) => (part.kind === 'right' ? text(three, 'right', part.right) : text(three, 'left', part.left)))
    .join('')
}

/** What the oracle takes of each group. */
function oracleClean(groups: readonly OracleGroup[]): string | undefined {
  if (groups.some(({ kind }) => kind === 'conflict')) return undefined
  return groups.map(({ kind, left, right }) => (kind === 'right' ? right : left).join('')).join('')
}

describe('three versions of a file', () => {
  it('are the lines that each has, and their common past', () => {
    const property = fc.property(pair, ([steps, one, other]) => {
      const file = make(steps)
      const { left, right, three } = merging(file, one, other)
      assert.equal(text(three, 'left'), left.content)
      assert.equal(text(three, 'right'), right.content)
      assert.equal(text(three, 'base'), file.contentOf(intersection(left.past, right.past)))
      for (const side of [three.left, three.right]) {
        const known = side.inBase.filter((line) => line >= 0)
        assert.deepEqual(known, known.toSorted())
        for (const [i, line] of side.inBase.entries()) {
          if (line >= 0) assert.equal(side.tokens[i], three.base.tokens[line])
        }
      }
    })
    holds(property)
  })
})

describe('merging lines', () => {
  it('does as the oracle says', () => {
    const property = fc.property(pair, ([steps, one, other]) => {
      const file = make(steps)
      const { left, right, three } = merging(file, one, other)
      const groups = oracleMerge(file, left.past, right.past)
      if (groups === undefined) return
      const wanted = oracleClean(groups)
      const parts = mergeParts(three)
      if (wanted !== undefined) assert.equal(clean(three, parts), wanted)
      // A second look by text may find less to conflict, never more or elsewhere.
      let [at, lines] = [0, 0]
      const conflicts = parts.filter(({ kind }) => kind === 'conflict')
      for (const group of groups) {
        const end = lines + group.left.length
        while (at < conflicts.length && (conflicts[at] as Part).left.to <= end && group.kind === 'conflict') {
          if ((conflicts[at] as Part).left.from < lines) break
          at++
        }
        lines = end
      }
      assert.equal(at, conflicts.length)
    })
    holds(property, 400)
  })

  it('gives the join of both states, where nobody put the same', () => {
    const property = fc.property(pair, ([steps, one, other]) => {
      const file = make(steps)
      const { left, right, three } = merging(file, one, other)
      const parts = mergeParts(three)
      const merged = clean(three, parts)
      if (merged === undefined || parts.some(({ kind }) => kind === 'same')) return
      if (oracleMerge(file, left.past, right.past) === undefined) return
      // Lines that were put again are others to the join.
      const groups = oracleMerge(file, left.past, right.past) as OracleGroup[]
      if (oracleClean(groups) === undefined) return
      assert.equal(merged, file.contentOf(new Set([...left.past, ...right.past])))
    })
    holds(property, 400)
  })

  it('does the same whichever side is merged into the other', () => {
    const property = fc.property(pair, ([steps, one, other]) => {
      const file = make(steps)
      const { left, right, three } = merging(file, one, other)
      const back = mergeLines(threeFromWeave(file.weave(), right.vector, left.vector))
      const forth = mergeLines(three)
      assert.equal(clean(forth.three, forth.parts), clean(back.three, back.parts))
      const swapped = (kind: string) => (kind === 'left' ? 'right' : kind === 'right' ? 'left' : kind)
      assert.deepEqual(
        forth.parts.map(({ kind, left: l, right: r }) => [kind, l, r]),
        back.parts.map(({ kind, left: l, right: r }) => [swapped(kind), r, l]),
      )
    })
    holds(property, 400)
  })

  it('holds every line of both sides once', () => {
    const texts = fc
      .array(fc.nat(9), { maxLength: 12 })
      .map((ns) => ns.map((n) => (n < 3 ? '\n' : `some line ${n}\n`)).join(''))
    const property = fc.property(texts, texts, texts, (base, left, right) => {
      const { three, parts } = mergeLines(threeFromTexts(fromLatin1(base), fromLatin1(left), fromLatin1(right)))
      for (const version of ['base', 'left', 'right'] as const) {
        let at = 0
        for (const { [version]: span } of parts) {
          assert.equal(span.from, at)
          at = span.to
        }
        assert.equal(at, three[version].tokens.length)
      }
    })
    holds(property, 400)
  })

  it('takes an edit to its line, whatever blank lines come and go', () => {
    const sections = fc.array(fc.tuple(fc.nat(2), fc.nat(2)), { minLength: 4, maxLength: 10 })
    const property = fc.property(
      sections,
      fc.nat(),
      fc.array(fc.tuple(fc.nat(), fc.nat(3)), { maxLength: 4 }),
      (plan, which, inserts) => {
        const base = plan.flatMap(([blank], i) => [`heading of ${i}\n`, ...Array<string>(blank).fill('\n')])
        const left = [...base]
        for (const [at, count] of inserts)
          left.splice(at % left.length, count === 3 ? 1 : 0, ...Array<string>(count).fill('\n'))
        const edited = base[which % base.length] as string
        if (edited === '\n') return
        const edit = (file: string[]) => file.map((line) => (line === edited ? `changed ${line}` : line)).join('')
        const { three, parts } = mergeLines(
          threeFromTexts(
            ...([base.join(''), left.join(''), edit(base)].map(fromLatin1) as [Uint8Array, Uint8Array, Uint8Array]),
          ),
        )
        const merged = clean(three, parts)
        if (merged !== undefined) assert.equal(merged, edit(left))
      },
    )
    holds(property, 400)
  })
})

/** What merging two versions takes; undefined where they conflict. */
function mergedText(file: FileHistory, one: { readonly number: number }, other: { readonly number: number }) {
  const { three } = merging(file, one.number - 1, other.number - 1)
  const merged = mergeLines(three)
  return clean(merged.three, merged.parts)
}

describe('lines that were put twice', () => {
  const start = (): FileHistory => {
    const file = new FileHistory()
    file.add([], lines('a b c d'))
    return file
  }

  it('are one where a change was picked, and what was added to it since is taken', () => {
    const file = start()
    const right = file.add([1], lines('a b one two three c d'))
    const picked = file.add([1], lines('a b one two three c d'), [right.number])
    const left = file.add([picked.number], lines('a b one more two three c d'))
    for (const later of [right, file.add([right.number], lines('a b one two three c D'))]) {
      const wanted = lines('a b one more two three c d').replace('d', later === right ? 'd' : 'D')
      assert.equal(mergedText(file, left, later), wanted)
      assert.equal(mergedText(file, later, left), wanted)
    }
  })

  it('are still there where a change was picked and taken back', () => {
    const file = start()
    const right = file.add([1], lines('a b one two three c d'))
    const picked = file.add([1], lines('a b one two three c d'), [right.number])
    const back = file.add([picked.number], lines('a b c d'))
    assert.equal(mergedText(file, back, right), right.content)
    assert.equal(mergedText(file, right, back), right.content)
    const changed = file.add([picked.number], lines('a b one TWO three c d'))
    assert.equal(mergedText(file, changed, right), undefined)
  })

  it('are one where both picked the same from a third', () => {
    const file = start()
    const third = file.add([1], lines('a b one two c d'))
    const left = file.add([1], lines('a b one two c d'), [third.number])
    const right = file.add([1], lines('a b one two c d'), [third.number])
    const more = file.add([right.number], lines('a b one two three c d'))
    assert.equal(mergedText(file, left, more), lines('a b one two three c d'))
    assert.equal(mergedText(file, more, left), lines('a b one two three c d'))
  })

  it('are not added to a base that is given', () => {
    const file = start()
    const third = file.add([1], lines('a b one two c d'))
    const left = file.add([1], lines('a b one two c d'), [third.number])
    const three = threeFromWeave(file.weave(), left.vector, third.vector, file.version(1).vector)
    assert.equal(text(three, 'base'), lines('a b c d'))
    assert.equal(clean(three, mergeParts(three)), left.content)
  })

  it('are told by text where nobody said so, unless they say nothing', () => {
    for (const [word, conflicts] of [
      ['telling', ['X', 'x', 'p']],
      ['', ['X\n\ny', 'x\n\ny', 'p\n\nq']],
    ] as const) {
      const file = new FileHistory()
      file.add([], lines(`a x ${word} y b`))
      const gone = file.add([1], lines('a b'))
      const left = file.add([gone.number], lines(`a p ${word} q b`))
      const right = file.add([1], lines(`a X ${word} y b`))
      const { three } = merging(file, right.number - 1, left.number - 1)
      const { parts } = mergeLines(three)
      const found = parts.filter(({ kind }) => kind === 'conflict')
      assert.deepEqual(
        found.flatMap((part) => [
          text(three, 'left', part.left),
          text(three, 'base', part.base),
          text(three, 'right', part.right),
        ]),
        conflicts.map((one) => `${one}\n`),
      )
    }
  })

  it('are new where one side deleted them with the other and put them again', () => {
    const file = start()
    const gone = file.add([1], lines('a d'))
    const again = file.add([gone.number], lines('a b c d'), [1])
    const other = file.add([gone.number], lines('a d e'))
    assert.equal(mergedText(file, again, other), lines('a b c d e'))
    assert.equal(mergedText(file, other, again), lines('a b c d e'))
  })
})

describe('branches of one file', () => {
  const changes = fc.array(fc.tuple(fc.nat(), fc.nat(2), fc.array(fc.nat(), { maxLength: 3 })), {
    minLength: 1,
    maxLength: 3,
  })

  /** A first version and branches from it, each of one or two versions. */
  const branches = (count: number) =>
    fc.array(fc.array(changes, { minLength: 1, maxLength: 2 }), { minLength: count, maxLength: count })

  function grow(plan: readonly (readonly Step['changes'][])[]): { file: FileHistory; tips: number[] } {
    const file = new FileHistory()
    file.add([], LINES.join(''))
    const tips = plan.map((versions) => {
      let tip = 1
      for (const version of versions) {
        const own = file.linesOf(file.past([tip]))
        for (const [at, gone, news] of version) own.splice(at % (own.length + 1), gone, ...news.map(someLine))
        tip = file.add([tip], own.join('')).number
      }
      return tip
    })
    return { file, tips }
  }

  /** Merges and commits; undefined where the two conflict. */
  function join(file: FileHistory, one: number | undefined, other: number | undefined): number | undefined {
    if (one === undefined || other === undefined) return undefined
    const merged = mergedText(file, file.version(one), file.version(other))
    return merged === undefined ? undefined : file.add([one, other], merged).number
  }

  it('come to the same whatever the order in which they are merged', () => {
    const property = fc.property(branches(3), (plan) => {
      const { file, tips } = grow(plan)
      const [a, b, c] = tips as [number, number, number]
      const pairs = [
        [join(file, a, b), c],
        [join(file, b, a), c],
        [join(file, a, c), b],
        [join(file, b, c), a],
      ] as const
      const texts = pairs.flatMap(([pair, third]) => [join(file, pair, third), join(file, third, pair)])
      const clean = texts.filter((text) => text !== undefined).map((number) => file.version(number).content)
      for (const text of clean) assert.equal(text, clean[0])
    })
    holds(property, 300)
  })

  it('cross without harm', () => {
    const property = fc.property(branches(2), changes, changes, (plan, more, others) => {
      const { file, tips } = grow(plan)
      const [a, b] = tips as [number, number]
      const [one, two] = [join(file, a, b), join(file, b, a)]
      if (one === undefined || two === undefined) return
      assert.equal(mergedText(file, file.version(one), file.version(two)), file.version(one).content)
      const on = (tip: number, splices: Step['changes']) => {
        const own = file.linesOf(file.past([tip]))
        for (const [at, gone, news] of splices) own.splice(at % (own.length + 1), gone, ...news.map(someLine))
        return file.add([tip], own.join(''))
      }
      const [left, right] = [on(one, more), on(two, others)]
      const merged = mergedText(file, left, right)
      assert.equal(mergedText(file, right, left), merged)
      // As if nothing had crossed: both changes on top of the same version.
      const straight = new FileHistory()
      straight.add([], file.version(one).content)
      const [x, y] = [straight.add([1], left.content), straight.add([1], right.content)]
      const wanted = mergedText(straight, x, y)
      if (merged !== undefined && wanted !== undefined) assert.equal(merged, wanted)
    })
    holds(property, 300)
  })
})

/** Merges three texts given as words. */
function words(base: string, left: string, right: string): string {
  const { three, parts } = mergeLines(
    threeFromTexts(fromLatin1(lines(base)), fromLatin1(lines(left)), fromLatin1(lines(right))),
  )
  return parts
    .map((part) => {
      const of = (version: 'base' | 'left' | 'right') =>
        text(three, version, part[version]).replaceAll('\n', ' ').trim()
      if (part.kind === 'conflict') return `<${of('left')}|${of('base')}|${of('right')}>`
      return part.kind === 'right' ? of('right') : of('left')
    })
    .filter((taken) => taken !== '')
    .join(' ')
}

describe('a block that one side moved', () => {
  const [A, B, C] = [
    'alpha-one alpha-two alpha-three',
    'beta-one beta-two beta-three',
    'gamma-one gamma-two gamma-three',
  ]
  const X = 'alpha-one alpha-changed alpha-three'
  const cases: [name: string, base: string, left: string, right: string, merged: string][] = [
    ['takes the edit along', `${A} ${B} ${C}`, `${B} ${C} ${A}`, `${X} ${B} ${C}`, `${B} ${C} ${X}`],
    ['to the top', `${B} ${C} ${A}`, `${A} ${B} ${C}`, `${B} ${C} ${X}`, `${X} ${B} ${C}`],
    ['between others', `${A} ${B} ${C}`, `${B} ${A} ${C}`, `${X} ${B} ${C}`, `${B} ${X} ${C}`],
    [
      'with a change of its own',
      `the-very-first ${A} ${B} ${C}`,
      `${B} ${C} the-very-first alpha-one alpha-two alpha-new`,
      `the-very-first ${X} ${B} ${C}`,
      `${B} ${C} the-very-first alpha-one <alpha-two alpha-new|alpha-two|alpha-changed>`,
    ],
    [
      'takes a deletion along',
      `${A} ${B} ${C}`,
      `${B} ${C} ${A}`,
      `alpha-one alpha-three ${B} ${C}`,
      `${B} ${C} alpha-one alpha-three`,
    ],
    ['moved by both to one place', `${A} ${B} ${C}`, `${B} ${C} ${A}`, `${B} ${C} ${X}`, `${B} ${C} ${X}`],
  ]
  for (const [name, base, left, right, merged] of cases) {
    it(name, () => {
      assert.equal(words(base, left, right), merged)
      const swapped = merged.replace(/<([^|]*)\|([^|]*)\|([^>]*)>/g, '<$3|$2|$1>')
      assert.equal(words(base, right, left), swapped)
    })
  }

  it('loses nothing and doubles nothing, whatever else both sides did', () => {
    // One line of a block at most is changed: of more than half of it nobody could say that it was moved.
    const places = fc.uniqueArray(fc.nat(23), { maxLength: 4, selector: (line) => line >> 2 })
    const side = fc
      .tuple(fc.array(fc.tuple(fc.nat(5), fc.nat(5)), { maxLength: 2 }), places, fc.nat(1))
      .map(([moves, changed, gone]) => ({ moves, edits: changed.slice(gone), deletions: changed.slice(0, gone) }))
    const first = Array.from({ length: 24 }, (_, i) => `block-${i >> 2}-of-the-file-line-${i & 3}`)
    const made = (name: string, { moves, edits, deletions }: typeof side extends fc.Arbitrary<infer T> ? T : never) => {
      const blocks = Array.from({ length: 6 }, (_, i) => first.slice(4 * i, 4 * i + 4))
      for (const [from, to] of moves) blocks.splice(to, 0, ...blocks.splice(from, 1))
      const edited = new Set(edits.map((i) => first[i]))
      const deleted = new Set(deletions.map((i) => first[i]))
      const own = blocks.flat().filter((line) => !deleted.has(line))
      return own.map((line) => (edited.has(line) ? `${line}-${name}` : line))
    }
    const property = fc.property(side, side, (ours, theirs) => {
      const [left, right] = [made('ours', ours), made('theirs', theirs)]
      const merged = words(first.join(' '), left.join(' '), right.join(' '))
      const back = words(first.join(' '), right.join(' '), left.join(' '))
      const isClean = !merged.includes('<')
      assert.equal(!back.includes('<'), isClean)
      if (!isClean) return
      assert.equal(back, merged)
      const wanted = first.flatMap((line) => {
        const versions = [left, right].map((own) => own.find((one) => one.startsWith(line)))
        const changed = versions.filter((one) => one !== line)
        return changed.length === 0 ? [line] : changed.filter((one) => one !== undefined)
      })
      assert.deepEqual(merged.split(' ').toSorted(), wanted.toSorted())
    })
    holds(property, 500)
  })

  it('is disputed where the other side moved it elsewhere', () => {
    const merged = words(`${A} ${B} ${C} p q r`, `${B} ${C} ${A} p q r`, `${B} ${C} p q r ${A}`)
    assert.ok(merged.includes('<'), merged)
  })

  it('stays a conflict where the other side changed the place it goes to', () => {
    const merged = words(`${A} ${B} ${C} p q`, `${B} ${C} ${A} p q`, `${X} ${B} ${C} new p q`)
    assert.equal(merged, `<|${A}|${X}> ${B} ${C} <${A}||new> p q`)
  })

  it('conflicts with a deletion of it', () => {
    assert.equal(words(`${A} ${B} ${C}`, `${B} ${C}`, `${X} ${B} ${C}`), `<|${A}|${X}> ${B} ${C}`)
  })
})

describe('markers', () => {
  const merge = (base: string, left: string, right: string) => {
    const { three, parts } = mergeLines(threeFromTexts(fromLatin1(base), fromLatin1(left), fromLatin1(right)))
    const count = parts.filter(({ kind }) => kind === 'conflict').length
    const label = { left: 'main', base: 'base', right: 'topic' }
    const { bytes, markers } = markedText(three, parts, Array(count).fill(label))
    return { text: toLatin1(bytes), markers }
  }

  it('stand where they are said to stand', () => {
    const { text: merged, markers } = merge(lines('a b c d e'), lines('a X c d Y'), lines('a Z c d'))
    assert.equal(
      merged,
      lines(
        'a <<<<<<<_main X |||||||_base b ======= Z >>>>>>>_topic c d <<<<<<<_main Y |||||||_base e ======= >>>>>>>_topic',
      ).replaceAll('_', ' '),
    )
    const own = splitLines(merged)
    for (const { start, base, middle, end } of markers) {
      assert.deepEqual(
        [start, base, middle, end].map((n) => own[n - 1]?.slice(0, 7)),
        ['<<<<<<<', '|||||||', '=======', '>>>>>>>'],
      )
    }
  })

  it('are longer than what looks like them', () => {
    const { text: merged } = merge(`${'='.repeat(9)}\nb\n`, `${'='.repeat(9)}\nX\n`, `${'='.repeat(9)}\nY\n`)
    assert.ok(merged.includes(`\n${'<'.repeat(10)} main\nX\n${'|'.repeat(10)} base\n`), merged)
  })

  it('are lines of their own where the last line has no newline', () => {
    const { text: merged } = merge('a\nb', 'a\nX', 'a\nY\n')
    assert.equal(merged, 'a\n<<<<<<< main\nX\n||||||| base\nb\n=======\nY\n>>>>>>> topic\n')
  })

  it('are not needed where a last line without newline is moved up', () => {
    const [a, b] = [lines('alpha-one alpha-two alpha-three alpha-four'), lines('beta-one beta-two beta-three')]
    const right = `${a}${b}`.replace('beta-three\n', 'beta-changed')
    assert.equal(merge(`${a}${b}`, `${b}${a}`, right).text, `${b}${a}`.replace('beta-three', 'beta-changed'))
  })

  it('end as the lines around them', () => {
    const { text: merged } = merge('a\r\nb\r\n', 'a\r\nX\r\n', 'a\r\nY\r\n')
    assert.equal(
      splitLines(merged).every((line) => line.endsWith('\r\n')),
      true,
    )
  })
})
