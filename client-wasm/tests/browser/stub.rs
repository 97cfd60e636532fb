//! Functions of the browser that are replaced for a while.

use js_sys::{Function, Reflect};
use wasm_bindgen::{JsCast, JsValue};

/// A function of an object that is replaced until this is dropped.
pub struct Stub {
    object: JsValue,
    name: &'static str,
    original: Function,
}

impl Stub {
    /// Replaces the function `name` of the global `object` by what `make` makes of it.
    pub fn new(object: &str, name: &'static str, make: impl FnOnce(Function) -> Function) -> Self {
        let object = Reflect::get(&js_sys::global(), &object.into()).expect("the global object can be asked");
        let original: Function =
            Reflect::get(&object, &name.into()).expect("it is an object").unchecked_into();
        let stub = Self { object, name, original };
        stub.set(&make(stub.original.bind0(&stub.object)));
        stub
    }

    fn set(&self, function: &Function) {
        Reflect::set(&self.object, &self.name.into(), function).expect("it can be replaced");
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        self.set(&self.original);
    }
}
