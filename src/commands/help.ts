import { Help } from '@oclif/core/help'
import { several } from '../cli/arguments.js'
import { BaseCommand } from '../cli/command.js'
import { unknownCommand } from '../cli/suggest.js'

/** `weft help`: the same as `--help` after a command's name. */
export default class HelpCommand extends BaseCommand {
  static override summary = 'Show what weft can do, or how one command is used'
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> git import']
  static override args = { command: several('Name of the command') }

  async run(): Promise<void> {
    const { args } = await this.parse(HelpCommand)
    const words = args.command ?? []
    const id = words.join(':')
    if (id !== '' && this.config.findCommand(id) === undefined && this.config.findTopic(id) === undefined) {
      throw unknownCommand(
        words,
        this.config.commandIDs.map((known) => known.replaceAll(':', ' ')),
      )
    }
    await new Help(this.config, { all: true }).showHelp(id === '' ? [] : [id])
  }
}
