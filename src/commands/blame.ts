import { at, required, VERSION_HELP } from '../cli/arguments.js'
import { PagedCommand } from '../cli/command.js'
import { formatBlame } from '../cli/format-blame.js'

/** `weft blame`: who put each line of a file there. */
export default class Blame extends PagedCommand {
  static override summary = 'Show which version put each line of a file there'
  static override description =
    `Lines keep their identity through merges, renames and moves, so nothing is guessed.\n\n${VERSION_HELP}`
  static override examples = [
    '<%= config.bin %> <%= command.id %> src/server.c',
    '<%= config.bin %> <%= command.id %> src/server.c --at v1.2 --json',
  ]
  static override args = { path: required('File to look at') }
  static override flags = { at }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Blame)
    await using repo = await this.openRepository()
    const options = flags.at === undefined ? {} : { at: flags.at }
    await this.answer(await repo.blame(this.pathIn(repo, args.path), options), formatBlame)
  }
}
