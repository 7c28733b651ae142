/**
 * The graph of versions against the obvious oracle: sets of ancestors.
 * @module
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Graph, type GraphNode } from '../src/history/graph.js'
import type { Lseq } from '../src/lseq/lseq.js'
import { holds } from './support/property.js'

/** A version as the graph is told of it. */
interface Told extends Lseq {
  readonly first: number
  readonly parents: readonly Told[]
  readonly prev: Told | undefined
  readonly past: ReadonlySet<Told>
}

const step = fc.record({
  parents: fc.array(fc.nat(), { maxLength: 3 }),
  /** Seqs it takes, and seqs that somebody else took meanwhile. */
  size: fc.integer({ min: 1, max: 5 }),
  gap: fc.nat(3),
})

/** A history in which every version goes on with a stream whose tip it covers, or begins one. */
function history(steps: readonly { parents: number[]; size: number; gap: number }[]): Told[] {
  const versions: Told[] = []
  const tips = new Map<number, Told>()
  let greatest = 0
  for (const { parents: picks, size, gap } of steps) {
    const parents = [...new Set(picks.flatMap((pick) => versions[pick % Math.max(1, versions.length)] ?? []))]
    const past = new Set(parents.flatMap((parent) => [...parent.past]))
    const found = [...tips].find(([, tip]) => past.has(tip))
    const stream = found?.[0] ?? 0xff0000 - 7 * tips.size
    const first = greatest + 1 + gap
    greatest = first + size - 1
    const version = { stream, seq: greatest, first, parents, prev: found?.[1], past }
    past.add(version)
    tips.set(stream, version)
    versions.push(version)
  }
  return versions
}

const id = new Uint8Array(32)

function graphOf(versions: readonly Told[]): Graph {
  const graph = new Graph()
  for (const { stream, first, seq: last, parents, prev } of versions) {
    graph.add({
      stream,
      first,
      last,
      parents: parents.map((parent) => ({ seq: parent.seq, stream: parent.stream, id })),
      prev: { seq: prev?.seq ?? 0, stream, id },
    })
  }
  return graph
}

function check(graph: Graph, versions: readonly Told[]): void {
  const nodes = [...graph]
  assert.equal(graph.size, versions.length)
  assert.equal(graph.greatest, versions.at(-1)?.seq ?? 0)
  const numbers = new Map(versions.map((version, i) => [version, i + 1]))
  for (const [i, version] of versions.entries()) {
    const node = nodes[i] as GraphNode
    assert.equal(node, graph.node(i + 1))
    assert.deepEqual([node.number, node.first, node.last], [i + 1, version.first, version.seq])
    assert.equal(graph.streams.id(node.slot), version.stream)
    assert.deepEqual(
      node.parents,
      version.parents.map((parent) => numbers.get(parent)),
    )
    assert.equal(node.prev, version.prev === undefined ? 0 : numbers.get(version.prev))
    for (const other of nodes) {
      const covered = node.vector.covers(other.slot, other.number)
      assert.equal(covered, version.past.has(versions[other.number - 1] as Told), `${node.number} and ${other.number}`)
    }
  }
}

describe('graph', () => {
  it('gives every version a vector that covers its past and nothing else', () => {
    holds(
      fc.property(fc.array(step, { maxLength: 30, size: 'max' }), (steps) => {
        const versions = history(steps)
        check(graphOf(versions), versions)
      }),
    )
  })

  it('knows who took every seq, and who is the last of each stream', () => {
    holds(
      fc.property(fc.array(step, { maxLength: 30, size: 'max' }), (steps) => {
        const versions = history(steps)
        const graph = graphOf(versions)
        for (const stream of new Set(versions.map((version) => version.stream))) {
          const slot = graph.streams.find(stream) as number
          const own = versions.filter((version) => version.stream === stream)
          assert.equal(graph.tip(slot), versions.indexOf(own.at(-1) as Told) + 1)
          for (let seq = 0; seq <= graph.greatest + 2; seq++) {
            const holder = own.find((version) => version.first <= seq && seq <= version.seq)
            assert.equal(graph.holding(slot, seq), holder && versions.indexOf(holder) + 1)
            assert.equal(graph.at(slot, seq), holder?.seq === seq ? versions.indexOf(holder) + 1 : undefined)
          }
        }
        assert.equal(graph.tip(1000), undefined)
        assert.equal(graph.holding(1000, 1), undefined)
      }),
    )
  })

  it('is the same in another thread', () => {
    holds(
      fc.property(fc.array(step, { maxLength: 30, size: 'max' }), (steps) => {
        const versions = history(steps)
        check(Graph.fromColumns(structuredClone(graphOf(versions).columns())), versions)
      }),
    )
  })

  it('refuses a version whose parent it has not met', () => {
    const graph = graphOf(history([{ parents: [], size: 3, gap: 0 }]))
    const version = { stream: 7, first: 10, last: 10, prev: { seq: 0, stream: 7, id } }
    for (const parent of [
      { seq: 9, stream: 0xff0000, id },
      { seq: 2, stream: 0xff0000, id },
      { seq: 3, stream: 8, id },
    ]) {
      assert.throws(() => graph.add({ ...version, parents: [parent] }), { name: 'CodedError', code: 'VERSION_MISSING' })
    }
    assert.equal(graph.size, 1)
    assert.throws(() => graph.node(2), RangeError)
  })
})
