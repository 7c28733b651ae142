/**
 * Replicas meet by chance over connections that fail, and end up the same. `npm run simulate` does it for longer.
 */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { defaultCrypto as crypto } from '../src/crypto/default.js'
import { Chance } from './simulation/chance.js'
import { cutAt, dieEverywhere, type Meeting, measure } from './simulation/cuts.js'
import { Simulation } from './simulation/world.js'
import { random } from './support/random.js'

const { seed } = random('replicas')
const { randomBytes } = crypto

/** Makes what is made by chance deep inside the same for the same seed. */
function seeded(one: number): void {
  Object.assign(crypto, { randomBytes: new Chance(one + 1).bytes })
}

after(() => void Object.assign(crypto, { randomBytes }))

describe('replicas that meet by chance', () => {
  const sizes: [replicas: number, steps: number, isHostile: boolean][] = [
    [2, 80, false],
    [4, 100, false],
    [9, 90, false],
    [5, 80, true],
  ]
  for (const [i, [replicas, steps, isHostile]] of sizes.entries()) {
    it(`end up the same, and as the model has it: ${replicas}${isHostile ? ', some of them hostile' : ''}`, async () => {
      const one = (seed >>> 1) + i
      seeded(one)
      const flags = `--seed ${one} --replicas ${replicas} --steps ${steps}${isHostile ? ' --hostile' : ''}`
      const command = `npm run simulate -- ${flags}`
      const simulation = await Simulation.begin({ seed: one, replicas, steps, isHostile })
      await simulation.run().catch((cause: unknown) => {
        throw new Error(`${(cause as Error).message}\nTo see it again: ${command}`, { cause })
      })
      assert(simulation.tally.versions > 0, command)
    })
  }
})

describe('an exchange that is broken off', () => {
  const meetings: Meeting[] = []
  before(async () => {
    seeded(seed)
    const simulation = await Simulation.begin({ seed, replicas: 2, steps: 0 })
    const [asking, answering] = await simulation.pair()
    meetings.push({ asking, answering, direction: 'sync', isInteractive: true })
    meetings.push({ asking, answering, direction: 'sync', isInteractive: false })
    meetings.push({ asking, answering, direction: 'push', isInteractive: true })
  })

  it('after any byte is made good by the next', async () => {
    const chance = new Chance(seed)
    for (const meeting of meetings) {
      const bytes = await measure(meeting)
      for (const way of ['there', 'back'] as const) {
        assert(bytes[way] > 100)
        // `npm run simulate -- --cuts` takes every one.
        for (let at = chance.below(300); at < bytes[way]; at += 1 + chance.below(1500)) await cutAt(meeting, way, at)
      }
    }
  })

  it('by a process that dies at any of its writes is made good by the next', async () => {
    for (const meeting of meetings) assert((await dieEverywhere(meeting)) > 3)
  })
})
