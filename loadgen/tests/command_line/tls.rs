//! Servers behind TLS.

#[cfg(not(feature = "tls"))]
#[test]
fn a_build_without_tls_names_the_feature_that_it_lacks() {
    crate::assert_refused(crate::program("https://127.0.0.1/"), "--features tls");
}

#[cfg(feature = "tls")]
mod with_tls {
    use std::fs;
    use std::io::{BufReader, Read, Write};
    use std::path::{Path, PathBuf};
    use std::process::{Command, Stdio};
    use std::sync::Arc;

    use rustls::crypto::ring;
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    use rustls::{ServerConfig, ServerConnection, StreamOwned};
    use tempfile::TempDir;

    use crate::requests::{body_file, request};
    use crate::truth::{KEEP, Truth};
    use crate::{assert_refused, greeter, measured, nobody, program, run};

    /// A server with a certificate that it has signed itself, and the file of that; `None` without openssl.
    struct SecureServer {
        server: Truth,
        certificate: PathBuf,
        _folder: TempDir,
    }

    impl SecureServer {
        /// Its URL, under this name.
        fn url(&self, host: &str) -> String {
            format!("https://{host}:{}/", self.server.address.port())
        }

        /// A load on it under this name, without a warm-up.
        fn load(&self, host: &str, arguments: &str) -> Command {
            program(&format!("{} --warmup=0s {arguments}", self.url(host)))
        }

        /// The argument that trusts its certificate.
        fn cacert(&self) -> String {
            format!("--cacert={}", self.certificate.display())
        }
    }

    /// A certificate and its key, for `localhost` and 127.0.0.1.
    fn certificate(folder: &Path) -> Option<[PathBuf; 2]> {
        let [config, key, certificate] =
            ["openssl.cnf", "key.pem", "certificate.pem"].map(|name| folder.join(name));
        let settings = "[req]\ndistinguished_name=name\nx509_extensions=extensions\n[name]\n[extensions]\n\
            subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n";
        fs::write(&config, settings).unwrap();
        let mut openssl = Command::new("openssl");
        openssl
            .args(["req", "-x509", "-newkey", "ec"])
            .args(["-pkeyopt", "ec_paramgen_curve:prime256v1"])
            .args(["-nodes", "-days", "2", "-subj", "/CN=localhost", "-config"])
            .arg(&config)
            .arg("-keyout")
            .arg(&key)
            .arg("-out")
            .arg(&certificate)
            .stderr(Stdio::null());
        match openssl.status() {
            Ok(status) => assert!(status.success(), "openssl: {status}"),
            Err(error) => {
                println!("skipped: openssl: {error}");
                return None;
            }
        }
        Some([certificate, key])
    }

    /// A server whose answers are `body_length` bytes long.
    fn secure_server(body_length: usize) -> Option<SecureServer> {
        let folder = tempfile::tempdir().unwrap();
        let [certificate, key] = certificate(folder.path())?;
        let chain = vec![CertificateDer::from_pem_file(&certificate).unwrap()];
        let key = PrivateKeyDer::from_pem_file(&key).unwrap();
        let provider = Arc::new(ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        let config = Arc::new(config);
        let answer = match body_length {
            14 => KEEP.to_vec(),
            length => {
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
                [head.as_bytes(), &vec![b'x'; length]].concat()
            }
        };
        let server = Truth::start(move |_, stream| {
            let session = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut reader = BufReader::new(StreamOwned::new(session, stream));
            while request(&mut reader).is_some() {
                if reader.get_mut().write_all(&answer).is_err() {
                    return;
                }
            }
            let _ = reader.read(&mut [0]);
        });
        Some(SecureServer {
            server,
            certificate,
            _folder: folder,
        })
    }

    #[test]
    fn a_load_over_tls_counts_every_answer_and_its_handshakes() {
        let Some(secure) = secure_server(14) else {
            return;
        };
        let kept = "--clients=4 --requests-per-connection=unlimited";
        let open = "--rate=2000 --threads=2 --requests-per-connection=10";
        for (host, arguments, connections) in [
            ("localhost", "--clients=4", Some(400)),
            ("127.0.0.1", kept, Some(4)),
            ("localhost", open, None),
        ] {
            let before = secure.server.accepted();
            let arguments = format!("{} --requests=400 {arguments}", secure.cacert());
            let summary = measured(secure.load(host, &arguments));
            assert_eq!(summary.counts.ok, 400, "{summary:?}");
            assert_eq!(summary.url, secure.url(host));
            // One more looks at the certificate.
            let accepted = secure.server.accepted() - before - 1;
            let is_expected = connections.is_none_or(|connections| accepted == connections);
            assert!(is_expected, "{accepted}: {summary:?}");
            let connect = summary.latency_us.connect;
            let takes_time = connect.count > 0 && connect.p50.unwrap_or(50.0) > 20.0;
            assert!(takes_time, "{connect:?}");
        }
    }

    #[test]
    fn bodies_longer_than_a_record_arrive_whole_in_both_directions() {
        let Some(secure) = secure_server(300_000) else {
            return;
        };
        let body = body_file(&vec![b'y'; 3_000_000]);
        let reuse = "--requests-per-connection=5 --expect-body=any";
        let arguments = format!("{} --requests=20 --clients=2 {reuse}", secure.cacert());
        let mut command = secure.load("localhost", &arguments);
        command.arg("--body-file").arg(body.path());
        assert_eq!(measured(command).counts.ok, 20);
    }

    #[test]
    fn a_certificate_that_is_not_trusted_is_refused_unless_the_user_insists() {
        let Some(secure) = secure_server(14) else {
            return;
        };
        let load = |host: &str, trust: &str| {
            let arguments = format!("--requests=20 {trust}");
            run(secure.load(host, &arguments))
        };
        let unknown = load("localhost", "");
        assert!(matches!(unknown.code, Some(1 | 2)), "{unknown:?}");
        let words = ["certificate", "authority"];
        let is_named = words.iter().any(|word| unknown.stderr.contains(word));
        assert!(is_named, "{unknown:?}");
        let another_name = load("0.0.0.0", &secure.cacert()).exits_with(1);
        assert!(another_name.stderr.contains("certificate"));
        let insecure = load("0.0.0.0", "--insecure").exits_with(0);
        assert!(insecure.stderr.contains("WARNING: --insecure"));
        for (arguments, reason) in [
            ("--engine=completion --insecure", "it speaks no TLS"),
            ("--conversation=ack --insecure", "TLS is for HTTP alone"),
            ("--cacert=/nowhere/a", "--cacert /nowhere/a: "),
            ("--cacert=/dev/null", "it has no certificate"),
        ] {
            assert_refused(secure.load("localhost", arguments), reason);
        }
    }

    #[test]
    fn what_is_no_tls_is_named_and_what_is_not_there_is_counted() {
        let load = "--insecure --warmup=0s --requests=3 --clients=1 --format=json";
        let plain = greeter();
        run(program(&format!("https://{} {load}", plain.address))).exits_with(1);
        let ran = run(program(&format!("https://{} {load}", nobody()))).exits_with(1);
        assert_eq!(ran.summary().counts.failed["refused"]["connect"], 3);
    }
}
