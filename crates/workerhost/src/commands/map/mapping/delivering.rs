//! Results on their way out, each when its turn has come.

use super::{Arrival, MOST_SPOKEN, Mapping, Sink};
use crate::commands::map::ended::Ended;
use crate::commands::map::window::{How, Known};
use crate::exit::Exit;
use crate::failure::Failure;
use wh_ports::reader::Reader;
use wh_ports::store::StoreError;

impl Mapping {
    /// Hands results on, each when its turn has come.
    pub(super) fn deliver(&mut self) {
        while !self.fetching && self.spoken < MOST_SPOKEN {
            let Some((known, how)) = self.window.take() else { return };
            match how {
                How::Told(ended) => {
                    if let Err(failure) = self.say(known, &ended) {
                        self.fail(failure);
                    }
                }
                How::InStore => self.fetch(known),
            }
        }
    }

    fn fetch(&mut self, known: Known) {
        self.fetching = true;
        let feed = self.feed.clone();
        self.beside.spawn(async move {
            let dossier = match known.identity.task_id(&feed.map) {
                Ok(id) => feed.store.dossier(id).await,
                Err(_) => Ok(None),
            };
            Arrival::Fetched(known, dossier.map(|dossier| dossier.and_then(Ended::kept).map(Box::new)))
        });
    }

    pub(super) fn fetched(
        &mut self,
        known: Known,
        ended: Result<Option<Box<Ended>>, StoreError>,
    ) -> Result<(), Failure> {
        let Some(ended) = ended? else {
            let index = known.identity.index;
            let message = format!("line {index}: what came of it is no longer in the map's store");
            return Err(Failure::new(Exit::Store, message));
        };
        self.say(known, &ended)
    }

    fn say(&mut self, known: Known, ended: &Ended) -> Result<(), Failure> {
        let data = match self.sink {
            Sink::Printed(_) => ended.data(&known.identity, self.json)?,
            Sink::Later(_) => Vec::new(),
        };
        self.count.end(ended.state);
        self.spoken += 1;
        self.voice.result(data, ended.complaint(known.identity.index), (known.seq, ended.state));
        Ok(())
    }
}
