/** When a reliable message of a local client counts as safe, so that its broker may forget it. */

/**
 * `memory`: it is in the spool. `disk`: it survives the process. `end_to_end`: the peer has confirmed it, or it was given
 * up for a reason that is counted.
 */
export type Durability = "memory" | "disk" | "end_to_end";
