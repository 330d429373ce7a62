#!/usr/bin/python3
"""Cameras of Debian's gst-rtsp-server, on a port of 127.0.0.1 that the system gives.

  gst-server.py <user> <password> < cameras.json

`cameras.json`: [{"path": "/h264/1", "codec": "h264", "film": "<file>.mp4", "sound": null}, ...]; sound is
{"codec": "aac", "file": "<file>.mp4"} or {"codec": "pcma", "file": "<file>.pcma"}. Without a user nobody has
to log in. Prints `port <number>` when it serves, and ends with its standard input: a test that dies takes
it along. Films are read once; each camera sends the same memory with timestamps of its own.
"""
import json
import sys
import threading
import time

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstApp", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstApp, GstRtsp, GstRtspServer  # noqa: E402,F401

PARSE = {
    "h264": "qtdemux ! h264parse config-interval=-1 ! video/x-h264,stream-format=byte-stream,alignment=au",
    "h265": "qtdemux ! h265parse config-interval=-1 ! video/x-h265,stream-format=byte-stream,alignment=au",
    "aac": "qtdemux ! aacparse ! audio/mpeg,mpegversion=4,stream-format=raw",
}
PAY = {
    "h264": "rtph264pay config-interval=0",
    "h265": "rtph265pay config-interval=0",
    "aac": "rtpmp4gpay",
    "pcma": "rtppcmapay",
}
APPSRC = "appsrc name=%s is-live=true format=time max-bytes=0 block=false ! %s name=pay%d pt=%d"
PCMA_BYTES = 160  # 20 ms


class Clip:
    """All access units of a file in the order of decoding: (buffer, pts, dts), in ns from 0."""

    def __init__(self, codec, path):
        self.units = self.g711(path) if codec == "pcma" else self.parsed(codec, path)
        base = min(dts for _, _, dts in self.units)
        self.units = [(data, pts - base, dts - base) for data, pts, dts in self.units]
        step = self.units[-1][2] // (len(self.units) - 1)
        self.duration = step * len(self.units)

    def parsed(self, codec, path):
        line = f'filesrc location="{path}" ! {PARSE[codec]} ! appsink name=sink sync=false'
        pipeline = Gst.parse_launch(line)
        sink = pipeline.get_by_name("sink")
        pipeline.set_state(Gst.State.PLAYING)
        units = []
        while (sample := sink.emit("pull-sample")) is not None:
            data = sample.get_buffer()
            self.caps = sample.get_caps()
            dts = data.pts if data.dts == Gst.CLOCK_TIME_NONE else data.dts
            units.append((data.copy_deep(), data.pts, dts))
        pipeline.set_state(Gst.State.NULL)
        return units

    def g711(self, path):
        self.caps = Gst.Caps.from_string("audio/x-alaw,rate=8000,channels=1")
        data = open(path, "rb").read()
        starts = range(0, len(data) - PCMA_BYTES + 1, PCMA_BYTES)
        times = [index * 20 * Gst.MSECOND for index in range(len(starts))]
        wrapped = [Gst.Buffer.new_wrapped(data[at : at + PCMA_BYTES]) for at in starts]
        return list(zip(wrapped, times, times))


class Feeder(threading.Thread):
    """One thread feeds all that plays, from the machine's clock."""

    def __init__(self):
        super().__init__(daemon=True)
        self.lock = threading.Lock()
        self.playing = {}

    def add(self, source, clip):
        with self.lock:
            self.playing[source] = [clip, time.monotonic_ns(), 0]

    def remove(self, source):
        with self.lock:
            self.playing.pop(source, None)

    def run(self):
        while True:
            with self.lock:
                playing = list(self.playing.items())
            for source, state in playing:
                self.feed(source, state)
            time.sleep(0.01)

    def feed(self, source, state):
        clip, started, count = state
        while True:
            turn, index = divmod(count, len(clip.units))
            data, pts, dts = clip.units[index]
            offset = turn * clip.duration
            if started + offset + dts > time.monotonic_ns():
                break
            stamped = data.copy()  # shares the memory
            stamped.pts = offset + pts
            stamped.dts = offset + dts
            if source.emit("push-buffer", stamped) != Gst.FlowReturn.OK:
                self.remove(source)
                break
            count += 1
        state[2] = count


class Camera(GstRtspServer.RTSPMediaFactory):
    def __init__(self, feeder, clips, locked):
        super().__init__()
        self.feeder, self.clips = feeder, clips
        self.set_shared(True)
        parts = [APPSRC % (f"src{n}", PAY[codec], n, 96 + n) for n, (codec, _) in enumerate(clips)]
        self.set_launch(f"( {' '.join(parts)} )")
        self.connect("media-configure", self.configure)
        if locked:
            access = "media.factory.access=(boolean)true, media.factory.construct=(boolean)true"
            self.add_role_from_structure(Gst.Structure.new_from_string(f"user, {access}"))

    def configure(self, _factory, media):
        sources = []
        for number, (_, clip) in enumerate(self.clips):
            source = media.get_element().get_by_name(f"src{number}")
            source.set_property("caps", clip.caps)
            self.feeder.add(source, clip)
            sources.append(source)
        media.connect("unprepared", lambda _: [self.feeder.remove(one) for one in sources])


def digest(user, password):
    auth = GstRtspServer.RTSPAuth()
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "user")
    auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
    auth.add_digest(user, password, token)
    return auth


def main():
    Gst.init(None)
    user, password = (sys.argv[1:] + ["", ""])[:2]
    cameras = json.loads(sys.stdin.readline())
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service("0")
    # By default there is one thread: one camera that is slow to start would hold up all others.
    pool = GstRtspServer.RTSPThreadPool.new()
    pool.set_max_threads(4)
    server.set_thread_pool(pool)
    if user:
        server.set_auth(digest(user, password))
    feeder, clips = Feeder(), {}

    def clip(codec, path):
        if (codec, path) not in clips:
            clips[codec, path] = Clip(codec, path)
        return codec, clips[codec, path]

    for camera in cameras:
        media = [clip(camera["codec"], camera["film"])]
        if camera["sound"]:
            media.append(clip(camera["sound"]["codec"], camera["sound"]["file"]))
        server.get_mount_points().add_factory(camera["path"], Camera(feeder, media, bool(user)))
    feeder.start()
    server.attach(None)
    loop = GLib.MainLoop()

    def until_input_ends():
        sys.stdin.read()
        loop.quit()

    threading.Thread(target=until_input_ends, daemon=True).start()
    GLib.timeout_add_seconds(5, lambda: server.get_session_pool().cleanup() or True)
    print(f"port {server.get_bound_port()}", flush=True)
    loop.run()


main()
