/**
 * The simulator for longer: `npm run simulate [-- --seed 1 --replicas 20 --steps 300 --minutes 10 --hostile --log]`, or one
 * exchange that is broken off everywhere: `npm run simulate -- --cuts`.
 *
 * Runs simulations one after the other, each with the seed after the one before, until the time is over. The first one that
 * fails ends the run with status 1 and is named by the command that shows it again. Without `--replicas` there are 2 to 50.
 * @module
 */
import { parseArgs } from 'node:util'
import { defaultCrypto as crypto } from '../../src/crypto/default.js'
import { Chance } from '../simulation/chance.js'
import { cutAt, dieEverywhere, measure } from '../simulation/cuts.js'
import { Simulation, type Tally } from '../simulation/world.js'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '0' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    replicas: { type: 'string' },
    steps: { type: 'string' },
    log: { type: 'boolean', default: false },
    hostile: { type: 'boolean' },
    cuts: { type: 'boolean', default: false },
  },
})
const minutes = Number(values.minutes)
const seed = Number(values.seed)
if (!(minutes >= 0) || !Number.isInteger(seed))
  throw new RangeError('expected --minutes to be a number, --seed an integer')

if (values.cuts) await cutEverywhere()

/** Cuts an exchange after every byte, in both directions, and lets both sides die at every write. */
async function cutEverywhere(): Promise<void> {
  Object.assign(crypto, { randomBytes: new Chance(seed + 1).bytes })
  const simulation = await Simulation.begin({ seed, replicas: 2, steps: 0 })
  const [asking, answering] = await simulation.pair()
  let count = 0
  for (const direction of ['sync', 'pull', 'push'] as const) {
    for (const isInteractive of [true, false]) {
      const meeting = { asking, answering, direction, isInteractive }
      const bytes = await measure(meeting)
      for (const way of ['there', 'back'] as const) {
        for (let at = 0; at < bytes[way]; at++, count++) await cutAt(meeting, way, at)
      }
      count += await dieEverywhere(meeting)
      console.log(`${direction}${isInteractive ? '' : ', unseen'}: ${bytes.there} and ${bytes.back} bytes`)
    }
  }
  console.log(`--seed ${seed}: ${count} exchanges were broken off, and mended`)
  process.exit(0)
}

const total: Partial<Tally> = {}
const end = Date.now() + minutes * 60_000
let runs = 0
for (let one = seed; runs === 0 || Date.now() < end; one++, runs++) {
  const chance = new Chance(one)
  // What is made by chance deep inside is to be the same again with the same seed.
  Object.assign(crypto, { randomBytes: new Chance(one + 1).bytes })
  const replicas = values.replicas === undefined ? 2 + chance.below(chance.once(10) ? 49 : 10) : Number(values.replicas)
  const steps = values.steps === undefined ? 100 + chance.below(300) : Number(values.steps)
  const isHostile = values.hostile ?? (values.replicas === undefined && chance.once(3))
  const command = `npm run simulate -- --seed ${one} --replicas ${replicas} --steps ${steps}${isHostile ? ' --hostile' : ''}`
  console.log(command)
  const began = Date.now()
  try {
    const simulation = await Simulation.begin({
      seed: one,
      replicas,
      steps,
      isHostile,
      log: values.log ? console.log : undefined,
    })
    const tally = await simulation.run()
    for (const key of Object.keys(tally) as (keyof Tally)[]) total[key] = (total[key] ?? 0) + tally[key]
    console.log(`  ${Date.now() - began} ms ${JSON.stringify(tally)}`)
  } catch (error) {
    console.error(error)
    console.error(`FAILED: ${command}`)
    process.exit(1)
  }
}
console.log(`${runs} simulations without a fault: ${JSON.stringify(total)}`)
