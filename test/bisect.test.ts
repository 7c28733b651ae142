/**
 * Bisection against the obvious oracle: sets of ancestors, counted.
 * @module
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type BisectMarks, type BisectStep, nextStep } from '../src/history/bisect.js'
import { Graph } from '../src/history/graph.js'
import { holds } from './support/property.js'

const id = new Uint8Array(32)

/** A graph of versions 1, 2, ... with these parents; each goes on with a stream whose tip it covers, or begins one. */
function graphOf(parents: readonly (readonly number[])[]): Graph {
  const graph = new Graph()
  const tips = new Map<number, number>()
  const streamOf: number[] = [0]
  parents.forEach((own, i) => {
    const past = own.map((parent) => graph.node(parent))
    const found = [...tips].find(([stream, tip]) =>
      past.some(({ vector }) => vector.covers(graph.streams.slot(stream), tip)),
    )
    const stream = found?.[0] ?? tips.size + 1
    const seq = i + 1
    const refs = own.map((parent) => ({ seq: parent, stream: streamOf[parent] as number, id }))
    graph.add({ stream, first: seq, last: seq, parents: refs, prev: { seq: found?.[1] ?? 0, stream, id } })
    tips.set(stream, seq)
    streamOf.push(stream)
  })
  return graph
}

/** Sets of ancestors, each version included. */
function pasts(parents: readonly (readonly number[])[]): ReadonlySet<number>[] {
  const all: Set<number>[] = [new Set()]
  parents.forEach((own, i) => {
    all.push(new Set([i + 1, ...own.flatMap((parent) => [...(all[parent] as Set<number>)])]))
  })
  return all
}

/** Histories: mostly lines, with branches, merges and a few roots. */
const histories = fc
  .array(fc.tuple(fc.constantFrom(0, 1, 1, 1, 1, 1, 2, 2, 3), fc.array(fc.nat(6), { minLength: 3, maxLength: 3 })), {
    minLength: 1,
    maxLength: 40,
  })
  .map((steps) =>
    steps.map(([count, back], i) => {
      const picks = back.slice(0, i === 0 ? 0 : count).map((distance) => Math.max(1, i - distance))
      return [...new Set(picks)]
    }),
  )

/** The answer by counting, for good versions that are all in the bad one's past. */
function bestEvenness(
  past: readonly ReadonlySet<number>[],
  { bad, good, skipped }: BisectMarks,
): { all: number[]; best: number[] } {
  const fine = new Set([...good].flatMap((number) => [...(past[number] as Set<number>)]))
  const all = [...(past[bad] as Set<number>)].filter((number) => !fine.has(number)).sort((a, b) => a - b)
  const evenness = (number: number): number => {
    const reach = all.filter((other) => past[number]?.has(other)).length
    return Math.min(reach, all.length - reach)
  }
  const open = all.filter((number) => number !== bad && !skipped.has(number))
  const greatest = Math.max(...open.map(evenness))
  return { all, best: open.filter((number) => evenness(number) === greatest) }
}

describe('bisection', () => {
  it('tests the version that splits the candidates most evenly', () => {
    holds(
      fc.property(histories, fc.nat(), fc.array(fc.nat(), { maxLength: 3 }), (parents, last, picks) => {
        const past = pasts(parents)
        const bad = 1 + (last % parents.length)
        const below = [...(past[bad] as Set<number>)].filter((number) => number !== bad)
        const good = new Set(below.length === 0 ? [] : picks.map((pick) => below[pick % below.length] as number))
        const marks = { bad, good, skipped: new Set<number>() }
        const step = nextStep(graphOf(parents), marks)
        const { all, best } = bestEvenness(past, marks)
        if (all.length === 1) return assert.deepEqual(step, { kind: 'found', version: bad })
        assert.ok(step.kind === 'test' && !step.base)
        assert.ok(best.includes(step.version), `${step.version} is none of ${best}`)
        const reach = all.filter((other) => past[step.version]?.has(other)).length
        assert.equal(step.left, Math.max(reach, all.length - reach) - 1)
      }),
      300,
    )
  })

  it('finds the first bad version, whichever it is, whatever cannot be tested', () => {
    holds(
      fc.property(histories, fc.nat(), fc.array(fc.boolean()), (parents, pick, untestable) => {
        const past = pasts(parents)
        const graph = graphOf(parents)
        const culprit = 1 + (pick % parents.length)
        const isBad = (number: number): boolean => past[number]?.has(culprit) === true
        let bad = parents.length
        if (!isBad(bad)) return
        const good = new Set<number>()
        const skipped = new Set<number>()
        let step: BisectStep
        let tests = 0
        for (;;) {
          step = nextStep(graph, { bad, good, skipped })
          if (step.kind !== 'test') break
          assert.ok(++tests <= parents.length)
          assert.ok(!skipped.has(step.version) && !good.has(step.version) && step.version !== bad)
          if (untestable[step.version] === true) skipped.add(step.version)
          else if (isBad(step.version)) bad = step.version
          else good.add(step.version)
        }
        if (step.kind === 'found') assert.equal(step.version, culprit)
        else assert.ok(step.kind === 'unclear' && step.versions.includes(culprit) && step.versions.includes(bad))
        if (skipped.size === 0) assert.equal(step.kind, 'found')
      }),
      300,
    )
  })

  const line = (count: number): number[][] => Array.from({ length: count }, (_, i) => (i === 0 ? [] : [i]))
  const marks = (bad: number, good: number[], skipped: number[] = []): BisectMarks => ({
    bad,
    good: new Set(good),
    skipped: new Set(skipped),
  })
  //  1 - 2 - 3        good versions may be on another branch
  //   \- 4 - 5
  const fork = [[], [1], [2], [1], [4]]

  const cases: [name: string, parents: number[][], marks: BisectMarks, step: BisectStep][] = [
    ['the middle of a line', line(9), marks(9, [1]), { kind: 'test', version: 5, left: 3, steps: 2, base: false }],
    [
      'a line without good versions',
      line(4),
      marks(4, []),
      { kind: 'test', version: 2, left: 1, steps: 1, base: false },
    ],
    ['the one that is left', line(3), marks(3, [2]), { kind: 'found', version: 3 }],
    ['the root', [[]], marks(1, []), { kind: 'found', version: 1 }],
    ['all skipped', line(4), marks(4, [1], [2, 3]), { kind: 'unclear', versions: [2, 3, 4] }],
    [
      'a skipped one in the middle',
      line(5),
      marks(5, [1], [3]),
      { kind: 'test', version: 2, left: 2, steps: 1, base: false },
    ],
    [
      'where a good version on another branch parted',
      fork,
      marks(5, [3]),
      { kind: 'test', version: 1, left: 2, steps: 0, base: true },
    ],
    [
      'behind the parting, once it is good',
      fork,
      marks(5, [3, 1]),
      { kind: 'test', version: 4, left: 0, steps: 0, base: false },
    ],
    [
      'behind the parting, where it cannot be tested',
      fork,
      marks(5, [3], [1]),
      { kind: 'test', version: 4, left: 0, steps: 0, base: false },
    ],
    ['good after bad', line(5), marks(2, [4, 5]), { kind: 'reversed', good: [4, 5] }],
    ['one that is both', line(5), marks(3, [1, 3]), { kind: 'reversed', good: [3] }],
    ['nothing in common', [[], [], [2]], marks(3, [1]), { kind: 'test', version: 2, left: 0, steps: 0, base: false }],
  ]
  for (const [name, parents, known, step] of cases) {
    it(`answers for ${name}`, () => assert.deepEqual(nextStep(graphOf(parents), known), step))
  }

  it('draws the same version away from a skipped one every time, and not always a neighbour', () => {
    const graph = graphOf(line(1000))
    const first = nextStep(graph, marks(1000, [1], [500, 501]))
    assert.deepEqual(nextStep(graph, marks(1000, [1], [501, 500])), first)
    const drawn = Array.from({ length: 40 }, (_, i) =>
      nextStep(graphOf(line(960 + i)), marks(960 + i, [1], [480 + (i >> 1), 481 + (i >> 1)])),
    )
    const places = new Set(drawn.map((step) => (step.kind === 'test' ? Math.round(step.version / 100) : -1)))
    assert.ok(places.size > 2, [...places].join())
  })

  it('takes tens of thousands of versions and hundreds of streams in its stride', () => {
    // 300 lines at a time, each merged into the main one now and then.
    const parents: number[][] = [[]]
    const tips = new Array<number>(300).fill(1)
    let main = 1
    for (let number = 2; number <= 30_000; number++) {
      const side = (number * 7919) % 300
      if (number % 3 === 0) {
        parents.push([main, tips[side] as number].filter((parent, i, both) => both.indexOf(parent) === i))
        main = number
      } else {
        parents.push([number % 50 === 1 ? main : (tips[side] as number)])
        tips[side] = number
      }
    }
    const graph = graphOf(parents)
    const started = performance.now()
    const step = nextStep(graph, marks(main, [2]))
    const took = performance.now() - started
    assert.ok(step.kind === 'test' && step.left > 7000)
    assert.ok(took < 2000, `took ${took} ms`)
  })
})
