/**
 * Compiles what is to be WebAssembly, the folders `assembly` in `src`, into modules that have it as text.
 *
 *     node bin/kernel.mjs [--check]
 *
 * What comes out is kept with the sources, so that nobody needs the compiler to build or to run weft; a test sees to it that
 * it is what the source gives (`--check`: exit status 1 where it is not).
 * @module
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { main } from 'assemblyscript/asc'

const SOURCES = join(dirname(fileURLToPath(import.meta.url)), '../src')

/** Sources, and what is made of them. */
const KERNELS = [
  ['lseq/assembly/columns.ts', 'lseq/kernel-code.ts', 'KERNEL_CODE'],
  ['lines/assembly/walk.ts', 'lines/walk-code.ts', 'WALK_CODE'],
]

/** No run-time library, no memory of its own, no tables: just the functions. */
const FLAGS = [
  '--runtime',
  'stub',
  '-O3',
  '--noAssert',
  '--importMemory',
  '--noExportMemory',
  '--outFile',
  'kernel.wasm',
]

/** The code of a source, as WebAssembly in base64. */
async function compiled(source) {
  let code
  const { error, stderr } = await main([source, ...FLAGS], {
    readFile: (name) => (existsSync(join(SOURCES, name)) ? readFileSync(join(SOURCES, name), 'utf8') : null),
    writeFile: (name, content) => {
      if (name.endsWith('.wasm')) code = content
    },
    listFiles: () => [],
  })
  if (error !== null || code === undefined) throw new Error(`${error?.message}\n${stderr.toString()}`)
  return Buffer.from(code).toString('base64')
}

for (const [source, target, name] of KERNELS) {
  const text = `/** WebAssembly made of \`${source}\` by \`npm run kernel\`. @module */
export const ${name} =
  '${await compiled(source)}'
`
  const path = join(SOURCES, target)
  if (!process.argv.includes('--check')) writeFileSync(path, text)
  else if (readFileSync(path, 'utf8') !== text) {
    console.error(`${path} is not what npm run kernel makes.`)
    process.exitCode = 1
  }
}
