//! Lines on their way in, and the moment from which on a host may run what they became.

use super::{Arrival, Mapping, Sink};
use crate::commands::map::feed::Fed;
use crate::failure::Failure;
use wh_domain::id::Seq;
use wh_domain::task::StateName;
use wh_ports::wishes::Wishes;

impl Mapping {
    pub(super) fn bring(&mut self) {
        if self.feeding || self.window.is_full() || self.asked > 0 {
            return;
        }
        if let Some(batch) = self.batch.take() {
            self.feeding = true;
            let feed = self.feed.clone();
            self.beside.spawn(async move { Arrival::Fed(feed.bring(batch).await) });
        }
    }

    pub(super) fn fed(&mut self, fed: Fed) -> Result<(), Failure> {
        for (index, why) in fed.refused {
            self.count.refuse();
            self.voice.speaker().warn(format!("line {index} is no input: {why}"));
        }
        for (known, state) in fed.inputs {
            self.left_over.confirm(&self.feed.map, &known.identity);
            if let Sink::Later(order) = &mut self.sink {
                order.push(&known.identity).map_err(|error| Failure::of_io("keep the order", &error))?;
            }
            match state {
                StateName::Pending | StateName::Claimed => self.window.open(known),
                _ if self.was_out_before(known.seq, state)? => self.count.end_before(state),
                _ => self.window.ended_before(known),
            }
        }
        Ok(())
    }

    fn was_out_before(&self, seq: Seq, state: StateName) -> Result<bool, Failure> {
        match &self.sink {
            Sink::Printed(printed) => printed
                .contains(seq, state)
                .map_err(|error| Failure::of_io("look up what was printed", &error)),
            Sink::Later(_) => Ok(state == StateName::Completed),
        }
    }

    /// Whether nothing runs that is no input any more: every left-over task is known, or no more lines can be read
    /// before there is room.
    pub(super) fn may_begin(&self) -> bool {
        self.asked == 0
            && !self.feeding
            && (self.left_over.is_known()
                || self.input_ended && self.batch.is_none()
                || self.window.is_full())
    }

    pub(super) async fn clear_left_over(&mut self) -> Result<(), Failure> {
        let ids = self.left_over.take();
        if !ids.is_empty() {
            self.feed.store.cancel(ids).await?;
        }
        Ok(())
    }
}
