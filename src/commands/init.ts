import { resolve } from 'node:path'
import * as Flags from '@oclif/core/flags'
import { optional } from '../cli/arguments.js'
import { BaseCommand } from '../cli/command.js'
import { formatInit } from '../cli/format-work.js'

/** `weft init`: a new repository. */
export default class Init extends BaseCommand {
  static override summary = 'Make a new repository'
  static override description =
    'The directory is made where it is missing. Files that are in it already stay, and become part of the first commit.'
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> notes']
  static override args = { dir: optional('Where to; by default the working directory') }
  static override flags = {
    branch: Flags.string({ char: 'b', default: 'main', helpValue: '<name>', summary: 'Name of the first branch' }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Init)
    const { initRepository } = await import('../worktree/init.js')
    await this.answer(await initRepository(resolve(args.dir ?? '.'), flags.branch), formatInit)
  }
}
